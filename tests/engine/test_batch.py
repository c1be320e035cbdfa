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


def requests_of(pairs: list[tuple[int, int]]) -> array[int]:
    return array("Q", [alignment << 32 | size for alignment, size in pairs])


def one_by_one(realloc: Any, pairs: list[tuple[int, int]]) -> list[int]:
    return [realloc.call(0, 0, alignment, size) & 0xFFFF_FFFF for alignment, size in pairs]


@pytest.mark.parametrize("count", [0, 1, 5, 4000, CHUNK, CHUNK + 1, 2 * CHUNK + 7])
def test_pointers_are_those_of_single_calls(store: Store, count: int) -> None:
    pairs = [(1 << (n % 4), n * 7 % 50) for n in range(count)]
    guest, twin = build(store, BUMP), build(store, BUMP)
    batch = batched_realloc(Page(store), guest.export("realloc"))
    pointers = batch(requests_of(pairs))
    assert list(pointers) == one_by_one(twin.export("realloc"), pairs)
    assert guest.export("calls").get() == count
    assert list(batch(requests_of(pairs))) == one_by_one(twin.export("realloc"), pairs)


def test_pointers_and_sizes_are_unsigned(store: Store) -> None:
    guest = build(
        store,
        '(module (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.sub (local.get 3) (local.get 2))))',
    )
    batch = batched_realloc(Page(store), guest.export("realloc"))
    assert list(batch(requests_of([(1, 0), (8, 0xFFFF_FFFF)]))) == [0xFFFF_FFFF, 0xFFFF_FFF7]


def test_a_trap_in_the_middle(store: Store) -> None:
    guest = build(store, BUMP)
    batch = batched_realloc(Page(store), guest.export("realloc"))
    with pytest.raises(Trap) as caught:
        batch(requests_of([(1, 1), (1, 0xDEAD), (1, 1)]))
    assert caught.value.code == "unreachable"
    assert guest.export("calls").get() == 2
    assert len(batch(requests_of([(1, 1)]))) == 1


def test_a_realloc_of_the_host(store: Store) -> None:
    """It may do whatever it wants, raise for instance."""
    error = OSError("no memory")

    def realloc(old: int, old_size: int, alignment: int, size: int) -> int:
        if size == 13:
            raise error
        return alignment * 100 + size

    batch = batched_realloc(Page(store), store.host_func(REALLOC, realloc))
    assert list(batch(requests_of([(4, 5), (8, 1)]))) == [405, 801]
    with pytest.raises(OSError, match="no memory") as caught:
        batch(requests_of([(4, 5), (8, 13)]))
    assert caught.value is error


def test_a_realloc_that_allocates(store: Store) -> None:
    """The loops of a store share one page, which the second must not take while the first is at it."""
    page = Page(store)
    inner = batched_realloc(page, build(store, BUMP).export("realloc"))

    def realloc(old: int, old_size: int, alignment: int, size: int) -> int:
        assert list(inner(requests_of([(1, 7)] * 3)))[2] % 7 == 1024 % 7
        return size

    outer = batched_realloc(page, store.host_func(REALLOC, realloc))
    assert list(outer(requests_of([(1, n) for n in range(50)]))) == list(range(50))
    assert len(inner(requests_of([(1, 7)] * 3))) == 3
    assert not page.is_busy


def test_after_close(engine: Engine) -> None:
    store = engine.new_store()
    used, unused = (batched_realloc(Page(store), build(store, BUMP).export("realloc")) for _ in range(2))
    used(requests_of([(1, 1)]))
    store.close()
    for batch in (used, unused):
        with pytest.raises(UnavailableError):
            batch(requests_of([(1, 1)]))


def test_an_engine_without_wasm_calls_one_by_one() -> None:
    store = FakeEngine().new_store()
    realloc = FakeFunc(CoreFuncType(), lambda old, old_size, alignment, size: -alignment - size)
    assert list(batched_realloc(Page(store), realloc)(requests_of([(1, 2), (4, 4)]))) == [2**32 - 3, 2**32 - 8]
