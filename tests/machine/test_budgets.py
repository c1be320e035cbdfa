"""Traps that a limit led to say which; traps that none led to say nothing of limits."""

from __future__ import annotations

import asyncio
import pickle
from pathlib import Path
from typing import Any

import pytest

import wippywasm
from wippywasm import Limits
from wippywasm.engine.wasmtime_engine import WasmtimeEngine
from wippywasm.errors import LimitTrap, Trap

LIMITS = Limits(max_memory_mb=2, max_table_elements=1000, max_execution_ms=60_000)
MEMORY, TABLE = ("max_memory_mb", "max_memory_mb = 2"), ("max_table_elements", "max_table_elements = 1000")
GROW_TABLE = "(table.grow (ref.null func) (i32.const {}))"
GROW = "(loop $l (br_if $l (i32.ge_s {} (i32.const 0))))"
IN_MEMORY, IN_TABLE = (
    GROW.format("(memory.grow (i32.const 1))"),
    GROW.format(GROW_TABLE.format(1)),
)
BOMBS = {
    "memory": ('(memory (export "m") 1)', IN_MEMORY + "unreachable", MEMORY),
    "hidden memory": ("(memory 1)", IN_MEMORY + "unreachable", MEMORY),
    "hidden memory at once": ("(memory 1)", "(drop (memory.grow (i32.const 1000))) unreachable", MEMORY),
    "memory at once": ('(memory (export "m") 1)', "(drop (memory.grow (i32.const 16384))) unreachable", MEMORY),
    "memory, the last step of all": (
        '(memory (export "m") 31)',
        "(drop (memory.grow (i32.const 2))) unreachable",
        MEMORY,
    ),
    "memory, more than there is": (
        '(memory (export "m") 1)',
        "(drop (memory.grow (i32.const -1))) unreachable",
        MEMORY,
    ),
    "memory, refused once": (
        '(memory (export "m") 1)',
        "(drop (memory.grow (i32.const 40))) (drop (memory.grow (i32.const 1))) unreachable",
        MEMORY,
    ),
    "table at once": ('(table (export "t") 1 funcref)', f"(drop {GROW_TABLE.format(5000)}) unreachable", TABLE),
    "hidden table at once": ("(table 1 funcref)", f"(drop {GROW_TABLE.format(5000)}) unreachable", TABLE),
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
    "all of it": ('(memory (export "m") 1)', "(drop (memory.grow (i32.const 31))) unreachable"),
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


@pytest.mark.parametrize("name", ["memory at once", "hidden memory at once", "table at once"])
def test_every_instance_and_every_task_is_told(load: Any, name: str) -> None:
    """Also those that come from a pool, and those after which the code is read from the cache."""
    space, body, (budget, _) = BOMBS[name]
    text = f'(module $bomb {space} (func $f (export "f") {body}) (func (export "g")))'
    component = load(text)
    for _ in range(12):
        guest = component.instantiate(limits=LIMITS)
        with pytest.raises(LimitTrap) as caught:
            guest.call("f")
        assert caught.value.budget == budget
        guest.close()

    async def by_a_task() -> None:
        guest = await component.link().instantiate_async(limits=LIMITS)
        await guest.call_async("g")
        with pytest.raises(LimitTrap):
            await guest.call_async("f")
        guest.close()

    asyncio.run(by_a_task())


def test_a_start_function_is_told(load: Any) -> None:
    body = "(drop (memory.grow (i32.const 1000))) unreachable"
    component = load(f"(module (memory 1) (func $s {body}) (start $s))")
    for _ in range(2):
        with pytest.raises(LimitTrap, match=r"max_memory_mb = 2") as caught:
            component.instantiate(limits=LIMITS)
        assert [frame.function for frame in caught.value.frames] == ["s"]


def test_without_a_limit_nothing_is_told(load: Any) -> None:
    body = "(drop (memory.grow (i32.const 1000))) unreachable"
    guest = load(f'(module (memory 1 3) (func (export "f") {body}))').instantiate()
    with pytest.raises(Trap) as caught:
        guest.call("f")
    assert type(caught.value) is Trap
    guest.close()


def test_limits_cost_no_second_compile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever compiles ahead has compiled for all limits; what is on disk serves them too."""
    monkeypatch.setenv("WIPPYWASM_CACHE_DIR", str(tmp_path / "cache"))
    engine = WasmtimeEngine()
    body = "(drop (memory.grow (i32.const 1000))) (i32.store (i32.const -1) (i32.const 0))"
    text = f'(module $m (memory 1) (func $f (export "f") {body}))'
    for _ in range(2):
        component = wippywasm.load(text, engine=engine)
        component.compile()
        built = sorted(path.name for path in (tmp_path / "cache").iterdir())
        assert len(built) == 1
        guest = component.instantiate(limits=LIMITS)
        with pytest.raises(LimitTrap) as caught:
            guest.call("f")
        frame = caught.value.frames[0]
        store = bytes(component.wasm).index(b"\x36\2\0")
        assert (frame.module, frame.function, frame.offset) == ("m", "f", store)
        guest.close()
        assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == built
        engine = WasmtimeEngine()


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
