"""Traps that a limit led to say which; traps that none led to say nothing of limits."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from wippywasm import Limits
from wippywasm.errors import LimitTrap, Trap

LIMITS = Limits(max_memory_mb=2, max_table_elements=1000, max_execution_ms=60_000)
MEMORY, TABLE = ("max_memory_mb", "max_memory_mb = 2"), ("max_table_elements", "max_table_elements = 1000")
GROW = "(loop $l (br_if $l (i32.ge_s {} (i32.const 0))))"
IN_MEMORY, IN_TABLE = (
    GROW.format("(memory.grow (i32.const 1))"),
    GROW.format("(table.grow (ref.null func) (i32.const 1))"),
)
BOMBS = {
    "memory": ('(memory (export "m") 1)', IN_MEMORY + "unreachable", MEMORY),
    "hidden memory": ("(memory 1)", IN_MEMORY + "unreachable", MEMORY),
    "hidden memory at once": ("(memory 1)", "(drop (memory.grow (i32.const 1000))) unreachable", MEMORY),
    "bounds": ('(memory (export "m") 1)', IN_MEMORY + "(drop (i32.load (i32.const 9999999)))", MEMORY),
    "table": ('(table (export "t") 1 funcref)', IN_TABLE + "unreachable", TABLE),
    "hidden table": ("(table 1 funcref)", IN_TABLE + "unreachable", TABLE),
    "both, memory": ('(memory (export "m") 1) (table (export "t") 1 funcref)', IN_MEMORY + "unreachable", MEMORY),
    "both, table": ('(memory (export "m") 1) (table (export "t") 1 funcref)', IN_TABLE + "unreachable", TABLE),
}
OTHERS = {
    "nothing to grow": ("", "unreachable"),
    "too far": ('(memory (export "m") 1)', "(drop (i32.load (i32.const 70000)))"),
    "hidden, too far": ("(memory 1)", "(drop (i32.load (i32.const 70000)))"),
    "some growth": ('(memory (export "m") 1)', "(drop (memory.grow (i32.const 3))) unreachable"),
    "hidden growth": ("(memory 1)", "(drop (memory.grow (i32.const 30))) unreachable"),
    "its own maximum": ('(memory (export "m") 1 1)', "(drop (memory.grow (i32.const 1))) unreachable"),
    "no growth meant": ('(memory (export "m") 1)', "(drop (i32.div_u (i32.const 1) (i32.const 0)))"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_names_the_budget_that_it_spent(load: Any, name: str) -> None:
    space, body, (budget, named) = BOMBS[name]
    component = load(f'(module {space} (func (export "f") {body}))')
    guest = component.instantiate(limits=LIMITS)
    with pytest.raises(LimitTrap, match=named) as caught:
        guest.call("f")
    assert caught.value.budget == caught.value.details["budget"] == budget
    assert caught.value.frames
    guest.close()
    component.instantiate(limits=LIMITS).close()


@pytest.mark.parametrize("name", OTHERS)
def test_other_traps_say_nothing_of_limits(load: Any, name: str) -> None:
    space, body = OTHERS[name]
    guest = load(f'(module {space} (func (export "f") {body}))').instantiate(limits=LIMITS)
    with pytest.raises(Trap) as caught:
        guest.call("f")
    assert type(caught.value) is Trap
    assert caught.value.hint is None
    assert "budget" not in caught.value.details
    guest.close()


def test_a_memory_that_is_more_than_half_full_is_a_hint(load: Any, engine: str) -> None:
    if engine == "wasmer":
        pytest.skip("modules on wasmer ask before they grow, so the host knows more than a hint")
    text = '(module (memory (export "m") 20) (func (export "f") (drop (memory.grow (i32.const 20))) unreachable))'
    guest = load(text).instantiate(limits=LIMITS)
    with pytest.raises(Trap, match=r"1\.25 MiB of its limit max_memory_mb = 2 were in use") as caught:
        guest.call("f")
    assert type(caught.value) is Trap
    guest.close()


def test_a_full_heap_of_gc_objects_names_its_budget_and_has_frames(load: Any, engine: str) -> None:
    if engine != "wasmtime":
        pytest.skip("wasmer has no GC objects")
    heap = """(module (type $a (array (mut i64))) (rec (type $n (struct (field (ref null $n)) (field (ref $a)))))
      (global $g (mut (ref null $n)) (ref.null $n))
      (func $fill (export "f") (loop $l
        (global.set $g (struct.new $n (global.get $g) (array.new_default $a (i32.const 1000)))) (br $l))))"""
    guest = load(heap).instantiate(limits=LIMITS)
    with pytest.raises(LimitTrap, match="max_memory_mb = 2") as caught:
        guest.call("f")
    assert (caught.value.code, caught.value.budget) == ("allocation size too large", "max_memory_mb")
    assert [frame.function for frame in caught.value.frames] == ["fill"]
    guest.close()


def test_a_trap_of_a_limit_can_be_pickled() -> None:
    made = LimitTrap("the guest trapped", code="unreachable", budget="max_memory_mb")
    again = pickle.loads(pickle.dumps(made))
    assert (again.budget, again.code, str(again)) == ("max_memory_mb", "unreachable", str(made))
