"""Modules that import tables: they count and ask as others do, and each table is the one that it is called by."""

from __future__ import annotations

from typing import Any

import pytest

from wippywasm import Limits
from wippywasm.errors import LimitTrap, TimedOutError, Trap

LIMITS = [None, Limits(max_execution_ms=60_000), Limits(max_memory_mb=8), Limits(max_table_elements=100)]
each_limit = pytest.mark.parametrize("limits", LIMITS, ids=["none", "time", "memory", "tables"])
KINDS = {
    "one": ("t", ""),
    "two": ("tu", ""),
    "own-beside": ("t", "pq"),
    "own-beside-two": ("tu", "p"),
}
each_kind = pytest.mark.parametrize("kind", KINDS)
NUMBERS = {name: 100 + k for k, name in enumerate("tupq")}


def guest(kind: str) -> str:
    """One module has the tables `t` and `u`, another imports some of them, and may have its own ones, `p` and `q`.

    In each the element 1 is a function that returns the table's number. The start function makes 30,000 rounds.
    """
    imported, own = KINDS[kind]
    given = " ".join(f'(table ${name} (export "{name}") 2 funcref) {_filled(name)}' for name in "tu")
    imports = " ".join(f'(import "m" "{name}" (table ${name} 2 funcref))' for name in imported)
    tables = " ".join(f'(table ${name} (export "{name}") 2 90 funcref) {_filled(name)}' for name in own)
    names = imported + own
    functions = " ".join(_functions(name) for name in names)
    lifted = " ".join(
        f'(func (export "{verb}-{name}") (result s32) (canon lift (core func $g "{verb}-{name}")))'
        for name in names
        for verb in ("call", "size", "grow", "empty", "beyond")
    )
    return f"""(component
      (core module $m (type $number (func (result i32))) {given})
      (core module $g {imports} (type $number (func (result i32))) {tables} (global $rounds (mut i32) (i32.const 0))
        {functions}
        (func $loop (export "loop") (param i32) (result i32)
          (loop $l (global.set $rounds (i32.add (global.get $rounds) (i32.const 1)))
            (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
          (global.get $rounds))
        (func (export "spin") (loop $l (br $l)))
        (func $start (drop (call $loop (i32.const 30000)))) (start $start))
      (core instance $m (instantiate $m))
      (core instance $g (instantiate $g (with "m" (instance $m))))
      {lifted}
      (func (export "loop") (param "rounds" u32) (result u32) (canon lift (core func $g "loop")))
      (func (export "spin") (canon lift (core func $g "spin"))))"""


def _filled(name: str) -> str:
    return (
        f"(func ${name}f (result i32) (i32.const {NUMBERS[name]})) (elem (table ${name}) (i32.const 1) func ${name}f)"
    )


def _functions(name: str) -> str:
    return f"""
      (func (export "call-{name}") (result i32) (call_indirect ${name} (type $number) (i32.const 1)))
      (func (export "empty-{name}") (result i32) (call_indirect ${name} (type $number) (i32.const 0)))
      (func (export "beyond-{name}") (result i32) (call_indirect ${name} (type $number) (i32.const 95)))
      (func (export "size-{name}") (result i32) (table.size ${name}))
      (func (export "grow-{name}") (result i32) (table.grow ${name} (ref.null func) (i32.const 30)))"""


@each_kind
@each_limit
def test_it_runs_and_calls_through_each_table(load: Any, kind: str, limits: Limits | None) -> None:
    names = "".join(KINDS[kind])
    linked = load(guest(kind)).link()
    for _ in range(2):
        with linked.instantiate(limits=limits) as made:
            assert made.call("loop", 3_000_000) == 3_030_000
            for name in names:
                assert (made.call(f"size-{name}"), made.call(f"call-{name}")) == (2, NUMBERS[name])
    for name in names:
        for verb in ("empty", "beyond"):
            with linked.instantiate(limits=limits) as made, pytest.raises(Trap):
                made.call(f"{verb}-{name}")


@each_kind
@each_limit
def test_it_grows_each_table_within_the_limits(load: Any, kind: str, limits: Limits | None) -> None:
    names = "".join(KINDS[kind])
    left = 100 - 2 * len("tu" + KINDS[kind][1]) if limits is LIMITS[3] else 1000
    with load(guest(kind)).instantiate(limits=limits) as made:
        sizes = dict.fromkeys(names, 2)
        for name in names * 3:
            most = 90 if name in "pq" else 1000
            fits = left >= 30 and sizes[name] + 30 <= most
            assert made.call(f"grow-{name}") == (sizes[name] if fits else -1)
            if fits:
                sizes[name] += 30
                left -= 30
            assert made.call(f"size-{name}") == sizes[name]
        assert [made.call(f"call-{name}") for name in names] == [NUMBERS[name] for name in names]


@each_kind
def test_a_spin_is_ended(load: Any, kind: str) -> None:
    with load(guest(kind)).instantiate(limits=Limits(max_execution_ms=100)) as made, pytest.raises(TimedOutError):
        made.call("spin")


@each_kind
async def test_in_a_task(load: Any, kind: str) -> None:
    names = "".join(KINDS[kind])
    made = await load(guest(kind)).link().instantiate_async()
    with made:
        assert await made.call_async("loop", 1_000_000) == 1_030_000
        assert [await made.call_async(f"call-{name}") for name in names] == [NUMBERS[name] for name in names]
        assert [await made.call_async(f"grow-{name}") for name in names] == [2] * len(names)
    made = await load(guest(kind)).link().instantiate_async(limits=Limits(max_execution_ms=100))
    with made, pytest.raises(TimedOutError):
        await made.call_async("spin")


@each_limit
def test_tables_that_other_tools_fill_late(load: Any, imports: Any, limits: Limits | None) -> None:
    """Imports of the host go through a table of one module that another one fills, as components are made elsewhere."""
    component = """(component
      (import "test:host/clock" (instance $clock (export "sleep" (func (param "ms" u32) (result u32)))))
      (core module $shim (type $t (func (param i32) (result i32))) (table (export "$imports") 1 1 funcref)
        (func (export "0") (param i32) (result i32) (call_indirect (type $t) (local.get 0) (i32.const 0))))
      (core module $fixup (type $t (func (param i32) (result i32))) (import "" "0" (func $f (type $t)))
        (import "" "$imports" (table 1 1 funcref)) (elem (i32.const 0) func $f))
      (core module $main (import "host" "sleep" (func $sleep (param i32) (result i32)))
        (func (export "run") (param i32) (result i32) (local i32)
          (loop $l
            (local.set 1 (i32.add (local.get 1) (call $sleep (i32.const 1))))
            (br_if $l (i32.lt_u (local.get 1) (local.get 0))))
          (local.get 1)))
      (core func $sleep (canon lower (func $clock "sleep")))
      (core instance $s (instantiate $shim))
      (core instance $m (instantiate $main (with "host" (instance (export "sleep" (func $s "0"))))))
      (core instance (instantiate $fixup
        (with "" (instance (export "0" (func $sleep)) (export "$imports" (table $s "$imports"))))))
      (func (export "run") (param "rounds" u32) (result u32) (canon lift (core func $m "run"))))"""
    with load(component).instantiate(imports, limits=limits) as made:
        assert made.call("run", 50) == 50


def test_the_limit_of_tables_is_named(load: Any) -> None:
    bomb = """(component (core module $m (table (export "t") 1 funcref)) (core instance $m (instantiate $m))
      (core module $g (import "m" "t" (table $t 1 funcref)) (table $own 1 funcref)
        (func (export "bomb")
          (loop $l (br_if $l (i32.ge_s (table.grow $t (ref.null func) (i32.const 1)) (i32.const 0)))) unreachable))
      (core instance $g (instantiate $g (with "m" (instance $m))))
      (func (export "bomb") (canon lift (core func $g "bomb"))))"""
    with load(bomb).instantiate(limits=Limits(max_table_elements=50)) as made, pytest.raises(LimitTrap) as caught:
        made.call("bomb")
    assert caught.value.budget == "max_table_elements"
