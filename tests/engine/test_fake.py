"""The fake engine keeps the port's promises that tests of other rooms lean on."""

from __future__ import annotations

import pytest

from wippywasm.core import CoreExport, CoreFuncType, CoreGlobalType, CoreImport
from wippywasm.engine.fake import FakeEngine, FakeFunc, FakeGlobal, FakeMemory, FakeModule, FakeTable
from wippywasm.engine.port import CoreFunc, CoreGlobal, CoreMemory, CoreTable
from wippywasm.errors import InvalidError, LinkError, Trap, UnavailableError, UnsupportedFeatureError

ADD = CoreFuncType(("i32", "i32"), ("i32",))


def test_a_module_of_callables() -> None:
    module = FakeModule(
        lambda imports: {"add": imports[0], "memory": FakeMemory()},
        (CoreImport("h", "add", ADD),),
        (CoreExport("add", ADD),),
    )
    engine = FakeEngine({b"adder": module})
    store = engine.new_store()
    add = store.host_func(ADD, lambda a, b: a + b)
    instance = store.instantiate(engine.compile(b"adder"), [add])
    exported = instance.export("add")
    assert isinstance(exported, CoreFunc)
    assert exported.call(2, 3) == 5
    assert isinstance(instance.export("memory"), CoreMemory)
    with pytest.raises(KeyError):
        instance.export("nothing")
    with pytest.raises(LinkError):
        store.instantiate(module, [])
    with pytest.raises(UnsupportedFeatureError):
        engine.compile(b"\0asm")


def test_growth_makes_views_stale() -> None:
    memory = FakeMemory(1, 2)
    before = memory.view()
    before[0] = 1
    assert memory.grow(1) == 1
    memory.view()[0] = 2
    assert before[0] == 1
    assert len(memory.view()) == 2 * 65536
    assert memory.grow(1) == -1


def test_tables_and_globals() -> None:
    func = FakeFunc(ADD, lambda a, b: a)
    table = FakeTable([func, None])
    assert isinstance(table, CoreTable)
    assert (table.size(), table.get(0), table.get(1)) == (2, func, None)
    with pytest.raises(Trap, match="out of bounds table access"):
        table.get(2)
    counter, constant = FakeGlobal(CoreGlobalType("i32", True)), FakeGlobal(CoreGlobalType("i32", False), 4)
    assert isinstance(counter, CoreGlobal)
    counter.set(9)
    assert counter.get() == 9
    with pytest.raises(InvalidError, match="constant"):
        constant.set(1)


def test_a_closed_store_is_closed() -> None:
    store = FakeEngine().new_store()
    func = store.host_func(ADD, lambda a, b: a)
    store.close()
    for use in (lambda: func.call(1, 2), lambda: store.instantiate(FakeModule(lambda _: {}), [])):
        with pytest.raises(UnavailableError):
            use()
