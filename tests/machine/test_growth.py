"""Guests of several memories or tables: all together stay within the limit, however and whenever they grow."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

import wippywasm
from tests.machine.growers import MEMORY, TABLE, pair
from wippywasm import App, Limits
from wippywasm.engine import wat2wasm
from wippywasm.errors import InvalidError, LimitTrap, TimedOutError, Trap

KINDS = {
    "memory": (MEMORY, Limits(max_memory_mb=1), 16),
    "table": (TABLE, Limits(max_table_elements=50), 50),
}
each_kind = pytest.mark.parametrize("kind", KINDS)
each_nesting = pytest.mark.parametrize("nested", [False, True], ids=["flat", "nested"])


@each_kind
@each_nesting
def test_two_that_grow_in_turns(load: Any, imports: Any, kind: str, nested: bool) -> None:
    space, limits, most = KINDS[kind]
    linked = load(pair(space, nested)).link(imports)
    for _ in range(2):
        with linked.instantiate(limits=limits) as guest:
            assert guest.call("size") == 2
            assert guest.call("fill", False) > 0
            assert guest.call("size") == most
            assert (guest.call("grow-a", 1), guest.call("grow-b", 1)) == (-1, -1)
            assert guest.call("grow-a", 0) > 0
    with linked.instantiate() as guest:
        assert guest.call("grow-a", most) == guest.call("grow-b", most) == 1


@each_kind
@each_nesting
async def test_two_that_grow_in_turns_by_a_task(load: Any, imports: Any, kind: str, nested: bool) -> None:
    space, limits, most = KINDS[kind]
    linked = load(pair(space, nested)).link(imports)
    for pause in (False, True):
        with await linked.instantiate_async(limits=limits) as guest:
            await guest.call_async("fill", pause)
            assert await guest.call_async("size") == most


@each_kind
def test_one_may_take_all_that_is_left(load: Any, imports: Any, kind: str) -> None:
    space, limits, most = KINDS[kind]
    with load(pair(space)).instantiate(imports, limits=limits) as guest:
        assert guest.call("grow-b", most - 1) == -1
        assert guest.call("grow-b", most - 2) == 1
        assert guest.call("grow-a", 1) == -1
        assert guest.call("size") == most


@each_kind
def test_what_could_not_grow_for_another_reason_counts_for_nothing(load: Any, imports: Any, kind: str) -> None:
    (space, grow, size), limits, most = KINDS[kind]
    bounded = space.replace(" 1", " 1 3")
    with load(pair((bounded, grow, size))).instantiate(imports, limits=limits) as guest:
        for _ in range(most):
            assert guest.call("grow-a", 3) == -1
        assert guest.call("grow-a", 2) == guest.call("grow-b", 2) == 1
        assert guest.call("grow-a", -1) == guest.call("grow-a", 1 << 30) == -1
        assert guest.call("size") == 6


@each_kind
async def test_a_bomb_of_several_is_told_its_limit(load: Any, imports: Any, kind: str) -> None:
    space, limits, _ = KINDS[kind]
    linked = load(pair(space)).link(imports)
    named = f"max_{'memory_mb = 1' if kind == 'memory' else 'table_elements = 50'}"
    for _ in range(2):
        guest = linked.instantiate(limits=limits)
        with pytest.raises(LimitTrap, match=named) as caught:
            await guest.call_async("bomb")
        assert caught.value.code == "unreachable"
        assert named.startswith(caught.value.budget)
        guest.close()
        with linked.instantiate(limits=limits) as other:
            assert await other.call_async("size") == 2


@each_kind
def test_start_functions_count(load: Any, imports: Any, kind: str) -> None:
    """The first one takes all that is left, of which the second one begins with its own."""
    space, limits, most = KINDS[kind]
    greedy = f"(local.set 0 (i32.const 1)) (loop $l (br_if $l (i32.ge_s {space[1]} (i32.const 0))))"
    linked = load(pair(space, start=greedy)).link(imports)
    with linked.instantiate(limits=limits) as guest:
        assert guest.call("size") == most
        assert (guest.call("grow-a", 1), guest.call("grow-b", 1)) == (-1, -1)
    bomb = load(pair(space, start=greedy + "unreachable")).link(imports)
    for _ in range(2):
        with pytest.raises(LimitTrap, match="it can't grow beyond its limit"):
            bomb.instantiate(limits=limits)


@each_kind
async def test_start_functions_count_by_tasks(load: Any, imports: Any, kind: str) -> None:
    space, limits, most = KINDS[kind]
    greedy = f"(local.set 0 (i32.const 1)) (loop $l (br_if $l (i32.ge_s {space[1]} (i32.const 0))))"
    with await load(pair(space, start=greedy)).link(imports).instantiate_async(limits=limits) as guest:
        assert await guest.call_async("size") == most


def test_a_guest_that_asks_without_end(load: Any, imports: Any) -> None:
    """It is ended as any other that spins."""
    endless = pair(MEMORY).replace("unreachable)", "(loop $l (drop (call $a (i32.const 1))) (br $l)) unreachable)")
    guest = load(endless).instantiate(imports, limits=Limits(max_execution_ms=100, max_memory_mb=1))
    with pytest.raises(TimedOutError, match="max_execution_ms = 100"):
        guest.call("bomb")
    guest.close()


@each_kind
def test_both_limits_and_neither(load: Any, imports: Any, kind: str) -> None:
    space, _, most = KINDS[kind]
    both = Limits(max_memory_mb=1, max_table_elements=50, max_execution_ms=60_000)
    with load(pair(space)).instantiate(imports, limits=both) as guest:
        guest.call("fill", False)
        assert guest.call("size") == most
    other = Limits(max_table_elements=50) if kind == "memory" else Limits(max_memory_mb=1)
    with load(pair(space)).instantiate(imports, limits=other) as guest:
        assert guest.call("grow-a", 60) == guest.call("grow-b", 60) == 1


def test_modules_of_the_host_count(load: Any) -> None:
    grower = wat2wasm(
        """(module (memory 8) (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"""
    )
    component = load(
        """(component
          (import "m" (core module $m (export "grow" (func (param i32) (result i32)))))
          (core instance $a (instantiate $m)) (core instance $b (instantiate $m))
          (func (export "grow-a") (param "by" s32) (result s32) (canon lift (core func $a "grow")))
          (func (export "grow-b") (param "by" s32) (result s32) (canon lift (core func $b "grow"))))"""
    ).link({"m": grower})
    with component.instantiate(limits=Limits(max_memory_mb=2)) as guest:
        assert guest.call("grow-a", 10) == 8
        assert guest.call("grow-b", 7) == -1
        assert guest.call("grow-b", 6) == 8
    component.instantiate(limits=Limits(max_memory_mb=1)).close()


def test_a_memory_that_modules_share(load: Any) -> None:
    """Another module than the one that has it grows it."""
    component = load(
        """(component
          (core module $a (memory (export "m") 1)) (core module $o (memory 1))
          (core module $b (import "a" "m" (memory 1))
            (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))
          (core instance $i (instantiate $a)) (core instance (instantiate $o))
          (core instance $g (instantiate $b (with "a" (instance $i))))
          (func (export "grow") (param "by" s32) (result s32) (canon lift (core func $g "grow"))))"""
    )
    with component.instantiate(limits=Limits(max_memory_mb=1)) as guest:
        assert guest.call("grow", 15) == -1
        assert guest.call("grow", 14) == 1


@pytest.mark.parametrize("limits", [None, Limits(max_memory_mb=1), Limits(max_memory_mb=1, max_execution_ms=60_000)])
def test_offsets_are_those_of_the_file(load: Any, imports: Any, limits: Limits | None) -> None:
    """With code before and after the place that was rewritten in the same function."""
    body = """(func $trap (export "grow") (param i32) (result i32) (local i32)
      (drop (memory.grow (local.get 0))) (drop (memory.grow (i32.const 4711))) unreachable)"""
    text = (
        pair(MEMORY)
        .replace("(core module $m ", f"(core module $m {body} ")
        .replace('(func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))', "")
    )
    component = load(text)
    guest = component.instantiate(imports, limits=limits)
    with pytest.raises(Trap) as caught:
        guest.call("grow-a", 1)
    frame = caught.value.frames[0]
    module = next(bytes(m.wasm) for m in component.plan.modules if b"\x41\xe7\x24\x40\0\x1a\0" in bytes(m.wasm))
    assert frame.offset == module.index(b"\x41\xe7\x24\x40\0\x1a\0") + 6
    assert (frame.module, frame.function) == ("m", "trap")
    guest.close()


APP = """\
version: "1.0"
namespace: t
entries:
  - name: grow
    kind: function.wat
    method: bomb
    pool: {{type: {pool}}}
    limits: {{max_memory_mb: 1}}
    source: |
      (component
        (core module $m (memory 1) (func (export "grow") (result i32) (memory.grow (i32.const 1))))
        (core instance $a (instantiate $m)) (core instance $b (instantiate $m))
        (core module $d (import "a" "grow" (func $a (result i32))) (import "b" "grow" (func $b (result i32)))
          (func (export "bomb") (param $times i32) (result i32) (local $n i32)
            (loop $l
              (if (i32.lt_s (call $a) (i32.const 0)) (then unreachable))
              (if (i32.lt_s (call $b) (i32.const 0)) (then unreachable))
              (local.set $n (i32.add (local.get $n) (i32.const 1)))
              (br_if $l (i32.lt_s (local.get $n) (local.get $times))))
            (local.get $n)))
        (core instance $d (instantiate $d (with "a" (instance $a)) (with "b" (instance $b))))
        (func (export "bomb") (param "times" s32) (result s32) (canon lift (core func $d "bomb"))))
"""


@pytest.mark.parametrize("pool", ["inline", "lazy", "static", "adaptive"])
async def test_the_next_call_of_an_entry_works(tmp_path: Path, engine: str, pool: str) -> None:
    (tmp_path / "_index.yaml").write_text(APP.format(pool=pool))
    app = App.load(tmp_path, engine=engine)
    async with app:
        for _ in range(3):
            with pytest.raises(Trap, match="max_memory_mb = 1"):
                await app.call("t:grow", 8)
            assert await app.call("t:grow", 3) == 3
        calls = await asyncio.gather(*[app.call("t:grow", 8) for _ in range(4)], return_exceptions=True)
        assert all(isinstance(call, Trap) for call in calls)


def test_there_is_a_bound_on_how_many(load: Any, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"wippywasm.engine.{engine}_store.MAX_MEMORIES", 3)
    instance = "(core instance (instantiate $m))"
    load(f"(component (core module $m (memory 0)) {instance * 3})").instantiate().close()
    with pytest.raises(InvalidError, match="limits: 3 memories are allowed, and it has more") as caught:
        load(f"(component (core module $m (memory 0)) {instance * 4})").instantiate()
    assert caught.value.hint == "split the component into several"


# ---- what only wasmtime has


@pytest.mark.parametrize(("name", "what"), [("INSTANCES", "core instances"), ("TABLES", "tables")])
def test_wasmtime_bounds_more_than_memories(monkeypatch: pytest.MonkeyPatch, name: str, what: str) -> None:
    monkeypatch.setattr(f"wippywasm.engine.wasmtime_store.MAX_{name}", 3)
    instance = "(core instance (instantiate $m))"
    texts = [f"(component (core module $m (table 0 funcref)) {instance * count})" for count in (3, 4)]
    few, many = (wippywasm.load(text, engine="wasmtime") for text in texts)
    few.instantiate().close()
    with pytest.raises(InvalidError, match=f"3 {what} are allowed"):
        many.instantiate()


def grower(memories: str, more: str = "", index: str = "i32") -> str:
    """A module with functions `a`, `b` that grow its first two memories."""
    functions = "".join(
        f'(func (export "{name}") (param {index}) (result {index}) (memory.grow {k} (local.get 0)))'
        for k, name in enumerate("ab")
    )
    return f"(module {memories} {functions} {more})"


def test_memories_of_one_module() -> None:
    linked = wippywasm.load(grower("(memory 1) (memory 2)"), engine="wasmtime").link()
    with linked.instantiate(limits=Limits(max_memory_mb=1)) as guest:
        assert guest.call("a", 10) == 1
        assert guest.call("b", 4) == -1
        assert guest.call("b", 3) == 2
        assert guest.call("a", 1) == -1


def test_memories_of_64_bits() -> None:
    linked = wippywasm.load(grower("(memory i64 1) (memory i64 1)", index="i64"), engine="wasmtime").link()
    with linked.instantiate(limits=Limits(max_memory_mb=1)) as guest:
        assert guest.call("a", 1 << 40) == guest.call("a", -1) == -1
        assert guest.call("a", 10) == 1
        assert guest.call("b", 5) == -1
        assert guest.call("b", 4) == 1


def test_memories_of_both_kinds_with_small_pages() -> None:
    linked = wippywasm.load(grower("(memory 0 (pagesize 1)) (memory 1)"), engine="wasmtime").link()
    with linked.instantiate(limits=Limits(max_memory_mb=1)) as guest:
        assert guest.call("a", 16 * 65536 - 65535) == -1
        assert guest.call("a", 1000) == 0
        assert guest.call("b", 15) == -1
        assert guest.call("b", 14) == 1
        assert guest.call("a", 65536 - 1000) == 1000


def test_tables_of_one_module_also_with_64_bits() -> None:
    linked = wippywasm.load(
        """(module (table $a 1 funcref) (table $b i64 1 externref)
          (func (export "a") (param i32) (result i32) (table.grow $a (ref.null func) (local.get 0)))
          (func (export "b") (param i64) (result i64) (table.grow $b (ref.null extern) (local.get 0))))""",
        engine="wasmtime",
    ).link()
    with linked.instantiate(limits=Limits(max_table_elements=20)) as guest:
        assert guest.call("a", 10) == 1
        assert guest.call("b", 9) == -1
        assert guest.call("b", 8) == 1
        assert guest.call("a", 1) == -1


@pytest.mark.parametrize("other", ["", "(memory 1)"])
def test_shared_memories(other: str) -> None:
    """Which wasmtime itself lets grow beyond any limit."""
    module = grower("(memory 1 1000 shared)" + (other or "(memory 0 0)"))
    with wippywasm.load(module, engine="wasmtime").instantiate(limits=Limits(max_memory_mb=1)) as guest:
        assert guest.call("a", 16) == -1
        assert guest.call("a", 15 - bool(other)) == 1
        assert guest.call("a", 1) == -1


def test_one_shared_memory() -> None:
    module = '(module (memory 1 1000 shared) (func (export "a") (param i32) (result i32) (memory.grow (local.get 0))))'
    with wippywasm.load(module, engine="wasmtime").instantiate(limits=Limits(max_memory_mb=1)) as guest:
        assert guest.call("a", 16) == -1
        assert guest.call("a", 15) == 1
        assert guest.call("a", 1) == -1


def test_a_start_function_of_a_module_with_several() -> None:
    module = grower("(memory 1) (memory 1)", "(func $s (drop (memory.grow 1 (i32.const 9)))) (start $s)")
    with wippywasm.load(module, engine="wasmtime").instantiate(limits=Limits(max_memory_mb=1)) as guest:
        assert guest.call("a", 6) == -1
        assert guest.call("a", 5) == 1


def test_a_module_that_can_not_ask_is_refused() -> None:
    """It has as many tables as there may be."""
    module = wippywasm.load(grower("(memory 1) (memory 1)", "(table 0 0 funcref)" * 100), engine="wasmtime")
    module.instantiate().close()
    with pytest.raises(InvalidError, match="the growth of this module can't be bounded"):
        module.instantiate(limits=Limits(max_memory_mb=1))


def test_objects_have_a_heap_that_is_bounded_as_well() -> None:
    module = """(module (type $n (struct (field (ref null $n)))) (memory 1)
      (global $g (mut (ref null $n)) (ref.null $n))
      (func (export "fill") (param i32)
        (loop $l
          (global.set $g (struct.new $n (global.get $g)))
          (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"""
    linked = wippywasm.load(module, engine="wasmtime").link()
    for _ in range(2):
        guest = linked.instantiate(limits=Limits(max_memory_mb=1))
        guest.call("fill", 1000)
        with pytest.raises(Trap, match=r"allocation size too large.*max_memory_mb = 1"):
            guest.call("fill", 100_000)
        guest.close()


EMPTY = """
(module
  (table 0 funcref)
  (func (export "grow") (param i32) (result i32) (table.grow (ref.null func) (local.get 0)))
  (func (export "size") (result i32) (table.size 0)))
"""


@pytest.mark.parametrize(
    "limits", [{"max_table_elements": 1}, {"max_memory_mb": 16}, {"max_execution_ms": 1000}, {"max_instances": 1}, {}]
)
def test_an_empty_table_does_not_grow_to_all_there_can_be(load: Any, limits: dict[str, int]) -> None:
    """wasmer ends the process where there is no memory for 2³² - 1 elements."""
    wit = "grow: func(n: s32) -> s32; size: func() -> s32;"
    for count in (-1, -64, 1 << 30):
        with load(EMPTY, wit=wit).instantiate(limits=Limits(**limits)) as guest:
            assert (guest.call("grow", count), guest.call("size")) == (-1, 0)
            assert (guest.call("grow", 1), guest.call("grow", 0), guest.call("size")) == (0, 1, 1)


LARGE = """
(module
  (table {table})
  (func (export "grow") (param i32) (result i32) (table.grow (ref.null func) (local.get 0))))
"""


@pytest.mark.parametrize("table", ["0 funcref", "0 20000000 funcref"])
def test_a_table_without_any_limit_has_one_all_the_same(load: Any, table: str) -> None:
    with load(LARGE.format(table=table), wit="grow: func(n: s32) -> s32;").instantiate() as guest:
        assert [guest.call("grow", n) for n in (-1, 10_000_001, 5, 0)] == [-1, -1, 0, 5]


def test_growth_is_bounded_however_its_instruction_is_written(load: Any) -> None:
    """wasmer: numbers may have more bytes than they need, which is looked for in the bytes."""
    code, longer = b"\x00\xd0\x70\x20\x00\xfc\x0f\x00\x0b", b"\x00\xd0\x70\x20\x00\xfc\x8f\x80\x80\x00\x00\x0b"
    usual = wat2wasm(LARGE.format(table="0 funcref"))
    assert usual.count(b"\x0a\x0b\x01\x09" + code) == 1
    wasm = usual.replace(b"\x0a\x0b\x01\x09" + code, b"\x0a\x0e\x01\x0c" + longer)
    with load(wasm, wit="grow: func(n: s32) -> s32;").instantiate() as guest:
        assert [guest.call("grow", n) for n in (-1, 5, 0)] == [-1, 0, 5]


def test_a_table_that_begins_with_too_much_is_refused(load: Any) -> None:
    with pytest.raises(InvalidError, match="table"):
        load(LARGE.format(table="10000001 funcref"), wit="grow: func(n: s32) -> s32;").instantiate()


TWO_MEMORIES = """
(module
  (memory $m 0) (memory $n 0)
  (func (export "grow") (param i32) (result i32)
    (drop (memory.grow $n (local.get 0)))
    (memory.grow $m (local.get 0))))
"""


@pytest.mark.parametrize("elements", [1, 2, 5])
def test_the_table_of_answers_does_not_count(elements: int) -> None:
    """wasmtime: wasmer has one memory for each module."""
    component = wippywasm.load(TWO_MEMORIES, wit="grow: func(n: s32) -> s32;", engine="wasmtime")
    with component.instantiate(limits=Limits(max_memory_mb=1, max_table_elements=elements)) as guest:
        assert [guest.call("grow", n) for n in (7, 2, 1, 0)] == [0, -1, -1, 7]
