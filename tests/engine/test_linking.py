"""Items handed from instance to instance, and links that do not fit, by name."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.guests import NOTHING, build, call
from wippywasm.core import CoreFuncType, CoreGlobalType, CoreMemoryType, CoreTableType, Limits
from wippywasm.engine import wat2wasm
from wippywasm.engine.port import CoreFunc, CoreGlobal, CoreMemory, CoreTable, Engine, Store
from wippywasm.errors import LinkError, Trap, UnsupportedFeatureError

MAKER = """(module $maker
  (memory (export "memory") 1 4) (global (export "counter") (mut i32) (i32.const 0))
  (table (export "table") 2 5 funcref) (elem (i32.const 0) $seven)
  (func $seven (export "seven") (result i32) i32.const 7))"""
USER = """(module $user
  (import "maker" "memory" (memory 1)) (import "maker" "counter" (global $counter (mut i32)))
  (import "maker" "table" (table 2 funcref)) (import "maker" "seven" (func $seven (result i32)))
  (elem (i32.const 1) $eight) (func $eight (result i32) i32.const 8)
  (func (export "sum") (result i32)
    (global.set $counter (i32.add (global.get $counter) (i32.const 1)))
    (i32.store (i32.const 0) (i32.const 99))
    (call $seven)
    (i32.add (call_indirect (result i32) (i32.const 0)))
    (i32.add (call_indirect (result i32) (i32.const 1)))))"""
NAMES = ("memory", "counter", "table", "seven")


def test_every_kind_of_item_is_shared_between_instances(store: Store) -> None:
    maker = build(store, MAKER)
    items = [maker.export(name) for name in NAMES]
    assert [type(item.type) for item in items] == [CoreMemoryType, CoreGlobalType, CoreTableType, CoreFuncType]
    for item, protocol in zip(items, (CoreMemory, CoreGlobal, CoreTable, CoreFunc), strict=True):
        assert isinstance(item, protocol)
    user = build(store, USER, items)
    assert call(user, "sum") == 22
    assert maker.export("counter").get() == 1
    assert maker.export("memory").view()[0] == 99
    maker.export("counter").set(10)
    call(user, "sum")
    assert maker.export("counter").get() == 11


def test_exports_have_their_types_and_are_the_same_object_each_time(store: Store) -> None:
    maker = build(store, MAKER)
    assert maker.export("memory").type == CoreMemoryType(Limits(1, 4))
    assert maker.export("table").type == CoreTableType("funcref", Limits(2, 5))
    assert maker.export("counter").type == CoreGlobalType("i32", mutable=True)
    assert maker.export("seven") is maker.export("seven")
    assert maker.export("seven").call is maker.export("seven").call
    with pytest.raises(KeyError):
        maker.export("eight")


def test_exports_with_names_of_python_are_exports(store: Store) -> None:
    instance = build(store, '(module (func (export "__class__") (result i32) i32.const 1) (func (export "a#b/ü") ))')
    assert call(instance, "__class__") == 1
    assert call(instance, "a#b/ü") is None
    with pytest.raises(KeyError):
        instance.export("__dict__")


def test_a_function_from_a_dropped_instance_still_works(store: Store) -> None:
    """Tables and importers keep it, whoever else lets go."""
    user = build(store, USER, _maker_items(store))
    for _ in range(3):
        build(store, MAKER)
        assert call(user, "sum") == 22


def _maker_items(store: Store) -> list[Any]:
    maker = build(store, MAKER)
    return [maker.export(name) for name in NAMES]


def test_host_functions_pass_through_instances_and_tables(store: Store) -> None:
    type = CoreFuncType(("i32",), ("i32",))
    double = store.host_func(type, lambda x: 2 * x)
    passer = build(
        store,
        """(module (import "h" "double" (func $d (param i32) (result i32))) (export "double" (func $d))
          (table (export "table") 1 1 funcref) (elem (i32.const 0) $d))""",
        [double],
    )
    user = build(
        store,
        """(module (import "p" "double" (func $d (param i32) (result i32))) (import "p" "table" (table 1 1 funcref))
          (func (export "go") (param i32) (result i32)
            (call $d (call_indirect (param i32) (result i32) (local.get 0) (i32.const 0)))))""",
        [passer.export("double"), passer.export("table")],
    )
    assert call(user, "go", 5) == 20
    assert double.call(4) == 8
    assert passer.export("double").call(4) == 8


def test_tables_are_read_or_refused_by_name(store: Store) -> None:
    table = build(store, MAKER).export("table")
    assert table.size() == 2
    if store.engine.name == "wasmer":
        with pytest.raises(UnsupportedFeatureError, match="table reads by the host"):
            table.get(0)
        return
    assert table.get(0).call() == 7
    assert table.get(0).type == CoreFuncType((), ("i32",))
    assert table.get(1) is None
    for index in (2, -1, 2**70):
        with pytest.raises(Trap) as caught:
            table.get(index)
        assert caught.value.code == "out of bounds table access"


def test_tags_pass_from_instance_to_instance(engine: Engine) -> None:
    if "exceptions" not in engine.features:
        pytest.skip("wasmer has no exception handling")
    store = engine.new_store()
    thrower = build(
        store,
        """(module (tag $t (export "tag") (param i32))
          (func (export "throw") (param i32) (throw $t (local.get 0))))""",
    )
    catcher = build(
        store,
        """(module (import "t" "tag" (tag $t (param i32))) (import "t" "throw" (func $throw (param i32)))
          (func (export "catch") (param i32) (result i32)
            (block $caught (result i32) (try_table (catch $t $caught) (call $throw (local.get 0))) (i32.const -1))))""",
        [thrower.export("tag"), thrower.export("throw")],
    )
    assert call(catcher, "catch", 42) == 42


@pytest.mark.parametrize(
    ("wanted", "offered"),
    [
        ("(func (param i32))", '(func (export "it"))'),
        ("(func)", '(memory (export "it") 1)'),
        ("(memory 2)", '(memory (export "it") 1)'),
        ("(memory 1 2)", '(memory (export "it") 1)'),
        ("(global i32)", '(global (export "it") i64 (i64.const 0))'),
        ("(global (mut i32))", '(global (export "it") i32 (i32.const 0))'),
        ("(table 1 2 funcref)", '(table (export "it") 1 3 funcref)'),
        ("(table 1 externref)", '(table (export "it") 1 funcref)'),
    ],
)
def test_what_does_not_fit_is_named(store: Store, wanted: str, offered: str) -> None:
    item = build(store, f"(module {offered})").export("it")
    fine = store.host_func(NOTHING, lambda: None)
    with pytest.raises(LinkError, match="ns:pkg/iface#it") as caught:
        build(store, f'(module (import "x" "fine" (func)) (import "ns:pkg/iface" "it" {wanted}))', [fine, item])
    assert caught.value.import_name == "ns:pkg/iface#it"
    assert "needs a" in str(caught.value)


def test_too_few_and_too_many_items(store: Store) -> None:
    text = '(module (import "a" "b" (func)))'
    with pytest.raises(LinkError, match="nothing is given for the import a#b"):
        build(store, text)
    func = store.host_func(NOTHING, lambda: None)
    with pytest.raises(LinkError, match="2 items are given for 1 import"):
        build(store, text, [func, func])


def test_items_of_another_store_are_refused(engine: Engine) -> None:
    one, other = engine.new_store(), engine.new_store()
    func = one.host_func(NOTHING, lambda: None)
    with pytest.raises(LinkError, match="another store"):
        build(other, '(module (import "a" "b" (func)))', [func])
    with pytest.raises(LinkError, match="another store"):
        build(other, '(module (import "a" "b" (func)))', [object()])  # type: ignore[list-item]


def test_one_name_imported_twice(store: Store) -> None:
    one = store.host_func(NOTHING, lambda: seen.append(1))
    two = store.host_func(NOTHING, lambda: seen.append(2))
    seen: list[int] = []
    text = """(module (import "a" "b" (func $x)) (import "a" "b" (func $y))
      (func (export "go") (call $x) (call $y)))"""
    call(build(store, text, [one, one]), "go")
    assert seen == [1, 1]
    if store.engine.name == "wasmer":
        with pytest.raises(LinkError, match="two different items"):
            build(store, text, [one, two])
    else:
        call(build(store, text, [one, two]), "go")
        assert seen == [1, 1, 1, 2]


def test_a_compiled_module_is_shared_by_stores(engine: Engine) -> None:
    module = engine.compile(
        wat2wasm(
            '(module (global $g (mut i32) (i32.const 0)) (func (export "next") (result i32)'
            " (global.set $g (i32.add (global.get $g) (i32.const 1))) (global.get $g)))"
        )
    )
    stores = [engine.new_store() for _ in range(3)]
    instances = [store.instantiate(module, []) for store in stores]
    assert [call(i, "next") for i in (*instances, *instances)] == [1, 1, 1, 2, 2, 2]
    for store in stores:
        store.close()
