"""Real guests on every engine: what goes in comes out, and hostile ones trap without harm."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.abi import abi_types
from wippywasm.abi import Binding, ComponentInstance, Options, lift
from wippywasm.engine import wat2wasm
from wippywasm.engine.batch import Page, batched_realloc
from wippywasm.engine.port import CoreFunc, CoreInstance, CoreMemory, Engine
from wippywasm.errors import PoisonedError, Trap
from wippywasm.model import (
    BOOL,
    PRIMS,
    STRING,
    U8,
    U32,
    Field,
    FuncType,
    ListType,
    Param,
    RecordType,
    TupleType,
    ValType,
)

SETTINGS = settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
    report_multiple_bugs=False,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
BUMP = """
  (memory (export "memory") 1)
  (global $top (mut i32) (i32.const 8192))
  (func (export "realloc") (param i32 i32 i32 i32) (result i32) (local $p i32)
    (local.set $p (i32.and (i32.add (global.get $top) (i32.sub (local.get 2) (i32.const 1)))
                           (i32.sub (i32.const 0) (local.get 2))))
    (global.set $top (i32.add (local.get $p) (local.get 3)))
    (block $fits
      (br_if $fits (i32.le_u (global.get $top) (i32.mul (memory.size) (i32.const 65536))))
      (drop (memory.grow (i32.add (i32.shr_u (local.get 3) (i32.const 16)) (i32.const 1)))))
    (local.get $p))
"""


class Guest:
    """An instance of a module, with what the ABI needs of it."""

    def __init__(self, engine: Engine, wat: str) -> None:
        self.store = engine.new_store()
        self.core: CoreInstance = self.store.instantiate(engine.compile(wat2wasm(wat)), [])
        memory, realloc = self.core.export("memory"), self.core.export("realloc")
        assert isinstance(memory, CoreMemory)
        assert isinstance(realloc, CoreFunc)
        self.binding = Binding(
            ComponentInstance(), memory, realloc, None, {}, batched_realloc(Page(self.store), realloc)
        )

    def lift(self, name: str, ft: FuncType, encoding: str = "utf8") -> Any:
        function = self.core.export(name)
        assert isinstance(function, CoreFunc)
        return lift(ft, function, Options(encoding), self.binding, name=name)


ECHO = f"""(module {BUMP}
  (func (export "echo") (param i32 i32) (result i32)
    (i32.store (i32.const 64) (local.get 0))
    (i32.store (i32.const 68) (local.get 1))
    (i32.const 64))
  (func (export "spilled") (param i32) (result i32) (local.get 0)))"""


@SETTINGS
@given(data=st.data(), t=abi_types.TYPES, encoding=st.sampled_from(abi_types.ENCODINGS))
def test_lists_of_anything_go_round(engine: Engine, data: st.DataObject, t: ValType, encoding: str) -> None:
    values = data.draw(st.lists(abi_types.values(t), max_size=5))
    guest = Guest(engine, ECHO)
    if t == PRIMS["u8"]:
        values = bytes(values)  # type: ignore[assignment]
    echo = guest.lift("echo", FuncType((Param("x", ListType(t)),), ListType(t)), encoding)
    assert abi_types.same(echo(values), values)
    guest.store.close()


@SETTINGS
@given(data=st.data(), t=abi_types.TYPES)
def test_spilled_arguments_go_round(engine: Engine, data: st.DataObject, t: ValType) -> None:
    wide = TupleType((t, *[PRIMS["u64"]] * 16))
    value = data.draw(abi_types.values(wide))
    guest = Guest(engine, ECHO)
    assert abi_types.same(guest.lift("spilled", FuncType((Param("x", wide),), wide))(value), value)
    guest.store.close()


def test_a_thousand_records(engine: Engine) -> None:
    user = RecordType((Field("id", U32), Field("name", STRING), Field("tags", ListType(STRING))))
    users = [{"id": i, "name": f"user-{i}", "tags": ["ä", "", "x" * 90][: i % 4]} for i in range(1000)]
    guest = Guest(engine, ECHO)
    echo = guest.lift("echo", FuncType((Param("x", ListType(user)),), ListType(user)))
    assert echo(users) == users
    assert echo(users) == users
    guest.store.close()


@pytest.mark.parametrize(
    ("realloc", "message"),
    [
        ("(i32.const -1)", "realloc return: result not aligned"),
        ("(i32.const -4)", "realloc return: beyond end of memory"),
        ("(i32.const 65536)", "realloc return: beyond end of memory"),
        ("unreachable", "unreachable"),
    ],
)
def test_reallocs_that_lie(engine: Engine, realloc: str, message: str) -> None:
    wat = f"""(module (memory (export "memory") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) {realloc})
      (func (export "take") (param i32 i32)))"""
    for count in (1, 50):
        guest = Guest(engine, wat)
        take = guest.lift("take", FuncType((Param("x", ListType(ListType(U32))),)))
        with pytest.raises(Trap, match=message):
            take([[1]] * count)
        with pytest.raises(PoisonedError):
            take([])
        guest.store.close()


def test_a_big_string_goes_round(engine: Engine) -> None:
    guest = Guest(engine, ECHO)
    echo = guest.lift("echo", FuncType((Param("x", STRING),), STRING))
    text = "ü" * 300_000
    assert echo(text) == text
    guest.store.close()


@pytest.mark.parametrize("count", [0, 3, 40, 100_000])
def test_every_byte_but_zero_is_true(engine: Engine, count: int) -> None:
    data = bytes([0, 1, 2, 255][i % 4] for i in range(count))
    guest = Guest(engine, ECHO)
    echo = guest.lift("echo", FuncType((Param("x", ListType(U8)),), ListType(BOOL)))
    assert echo(data) == [byte != 0 for byte in data]
    guest.store.close()
