"""Batched reallocation equals so many calls of `realloc`."""

from __future__ import annotations

from array import array
from typing import Any

import pytest

from tests.engine.guests import build
from wippywasm.core import CoreFuncType
from wippywasm.engine.batch import CHUNK, REALLOC, Page, batched_realloc
from wippywasm.engine.fake import FakeEngine, FakeFunc
from wippywasm.engine.port import Engine, Store
from wippywasm.errors import Trap, UnavailableError

BUMP = """(module (memory (export "memory") 1)
  (global $top (mut i32) (i32.const 1024)) (global $calls (export "calls") (mut i32) (i32.const 0))
  (func (export "realloc") (param i32 i32 i32 i32) (result i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (if (i32.or (local.get 0) (local.get 1)) (then unreachable))
    (if (i32.eq (local.get 3) (i32.const 0xdead)) (then unreachable))
    (global.set $top (i32.and (i32.add (global.get $top) (i32.sub (local.get 2) (i32.const 1)))
      (i32.xor (i32.sub (local.get 2) (i32.const 1)) (i32.const -1))))
    (global.get $top)
    (global.set $top (i32.add (global.get $top) (local.get 3)))))"""


ENOUGH = 1 << 34
"""More than any memory has."""


def unasked(request: int, pointer: int) -> int:
    raise AssertionError("nobody is to look")


def requests_of(pairs: list[tuple[int, int]]) -> array[int]:
    return array("Q", [alignment << 32 | size for alignment, size in pairs])


def one_by_one(realloc: Any, pairs: list[tuple[int, int]]) -> list[int]:
    return [realloc.call(0, 0, alignment, size) & 0xFFFF_FFFF for alignment, size in pairs]


@pytest.mark.parametrize("count", [0, 1, 5, 4000, CHUNK, CHUNK + 1, 2 * CHUNK + 7])
def test_pointers_are_those_of_single_calls(store: Store, count: int) -> None:
    pairs = [(1 << (n % 4), n * 7 % 50) for n in range(count)]
    guest, twin = build(store, BUMP), build(store, BUMP)
    batch = batched_realloc(Page(store), guest.export("realloc"))
    pointers = batch(requests_of(pairs), ENOUGH, unasked)
    assert list(pointers) == one_by_one(twin.export("realloc"), pairs)
    assert guest.export("calls").get() == count
    assert list(batch(requests_of(pairs), ENOUGH, unasked)) == one_by_one(twin.export("realloc"), pairs)


def test_pointers_and_sizes_are_unsigned(store: Store) -> None:
    guest = build(
        store,
        '(module (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.sub (local.get 3) (local.get 2))))',
    )
    batch = batched_realloc(Page(store), guest.export("realloc"))
    assert list(batch(requests_of([(1, 0), (1, 0xFFFF_FFFF)]), ENOUGH, unasked)) == [0xFFFF_FFFF, 0xFFFF_FFFE]


def test_a_trap_in_the_middle(store: Store) -> None:
    guest = build(store, BUMP)
    batch = batched_realloc(Page(store), guest.export("realloc"))
    with pytest.raises(Trap) as caught:
        batch(requests_of([(1, 1), (1, 0xDEAD), (1, 1)]), ENOUGH, unasked)
    assert caught.value.code == "unreachable"
    assert guest.export("calls").get() == 2
    assert len(batch(requests_of([(1, 1)]), ENOUGH, unasked)) == 1


def test_a_realloc_of_the_host(store: Store) -> None:
    """It may do whatever it wants, raise for instance."""
    error = OSError("no memory")

    def realloc(old: int, old_size: int, alignment: int, size: int) -> int:
        if size == 13:
            raise error
        return alignment * (100 + size)

    batch = batched_realloc(Page(store), store.host_func(REALLOC, realloc))
    assert list(batch(requests_of([(4, 5), (8, 1)]), ENOUGH, unasked)) == [420, 808]
    with pytest.raises(OSError, match="no memory") as caught:
        batch(requests_of([(4, 5), (8, 13)]), ENOUGH, unasked)
    assert caught.value is error


def test_a_realloc_that_allocates(store: Store) -> None:
    """The loops of a store share one page, which the second must not take while the first is at it."""
    page = Page(store)
    inner = batched_realloc(page, build(store, BUMP).export("realloc"))

    def realloc(old: int, old_size: int, alignment: int, size: int) -> int:
        assert list(inner(requests_of([(1, 7)] * 3), ENOUGH, unasked))[2] % 7 == 1024 % 7
        return size

    outer = batched_realloc(page, store.host_func(REALLOC, realloc))
    assert list(outer(requests_of([(1, n) for n in range(50)]), ENOUGH, unasked)) == list(range(50))
    assert len(inner(requests_of([(1, 7)] * 3), ENOUGH, unasked)) == 3
    assert not page.is_busy


def test_after_close(engine: Engine) -> None:
    store = engine.new_store()
    used, unused = (batched_realloc(Page(store), build(store, BUMP).export("realloc")) for _ in range(2))
    used(requests_of([(1, 1)]), ENOUGH, unasked)
    store.close()
    for batch in (used, unused):
        with pytest.raises(UnavailableError):
            batch(requests_of([(1, 1)]), ENOUGH, unasked)


def test_an_engine_without_wasm_calls_one_by_one() -> None:
    store = FakeEngine().new_store()
    realloc = FakeFunc(CoreFuncType(), lambda old, old_size, alignment, size: -alignment - size)
    batch = batched_realloc(Page(store), realloc)
    assert list(batch(requests_of([(1, 2), (4, 4)]), ENOUGH, unasked)) == [2**32 - 3, 2**32 - 8]


@pytest.mark.parametrize("count", [1, 5, CHUNK + 5])
def test_somebody_looks_at_each_pointer_beyond_the_known_size_before_the_next_call(store: Store, count: int) -> None:
    guest = build(store, BUMP)
    batch = batched_realloc(Page(store), guest.export("realloc"))
    looks: list[tuple[int, int, int]] = []

    def look(request: int, pointer: int) -> int:
        looks.append((request, pointer, guest.export("calls").get()))
        return pointer + 100 * 8

    pointers = batch(requests_of([(8, 8)] * count), 1032, look)
    assert list(pointers) == [1024 + 8 * n for n in range(count)]
    beyond = range(1, count, 100)
    assert looks == [((8 << 32) + 8, 1024 + 8 * n, n + 1) for n in beyond]


@pytest.mark.parametrize("wasm", [True, False])
def test_no_call_follows_a_pointer_that_is_refused(store: Store, wasm: bool) -> None:
    guest = build(store, BUMP)
    batch = batched_realloc(Page(store if wasm else FakeEngine().new_store()), guest.export("realloc"))

    def look(request: int, pointer: int) -> int:
        raise OverflowError(request, pointer)

    with pytest.raises(OverflowError) as caught:
        batch(requests_of([(1, 1), (1, 1000), (1, 1)]), 1500, look)
    assert caught.value.args == ((1 << 32) + 1000, 1025)
    assert guest.export("calls").get() == 2
    assert list(batch(requests_of([(1, 1)]), ENOUGH, unasked)) == [2025]


def test_an_unaligned_pointer_is_asked_for_wherever_it_is(store: Store) -> None:
    realloc = store.host_func(REALLOC, lambda old, old_size, alignment, size: size)
    asked: list[tuple[int, int]] = []
    batch = batched_realloc(Page(store), realloc)

    def look(request: int, pointer: int) -> int:
        asked.append((request, pointer))
        return ENOUGH

    assert list(batch(requests_of([(4, 4), (4, 6), (2, 6), (1, 7)]), ENOUGH, look)) == [4, 6, 6, 7]
    assert asked == [((4 << 32) + 6, 6)]
