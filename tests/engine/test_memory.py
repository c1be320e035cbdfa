"""Views of guest memory: live, writable, refreshed after growth."""

from __future__ import annotations

import pytest

from tests.engine.guests import build, call
from wippywasm.engine.port import Engine, Store
from wippywasm.errors import UnavailableError

PAGE = 65536
MEMORY = """(module (memory (export "memory") 1 3)
  (func (export "peek") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "poke") (param i32 i32) (i32.store8 (local.get 0) (local.get 1)))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"""


def test_guest_and_host_see_one_memory(store: Store) -> None:
    instance = build(store, MEMORY)
    view = instance.export("memory").view()
    assert view.format == "B"
    assert not view.readonly
    assert len(view) == PAGE
    view[PAGE - 1] = 200
    assert call(instance, "peek", PAGE - 1) == 200
    call(instance, "poke", 5, 77)
    assert view[5] == 77
    view[10:15] = b"hello"
    assert bytes(instance.export("memory").view()[10:15]) == b"hello"


def test_a_view_after_growth_has_the_new_size(store: Store) -> None:
    instance = build(store, MEMORY)
    memory = instance.export("memory")
    memory.view()[0] = 9
    assert call(instance, "grow", 1) == 1
    assert len(memory.view()) == 2 * PAGE
    assert memory.size() == 2
    assert memory.grow(1) == 2
    assert len(memory.view()) == 3 * PAGE
    memory.view()[3 * PAGE - 1] = 1
    assert call(instance, "peek", 3 * PAGE - 1) == 1
    assert memory.view()[0] == 9


def test_growth_beyond_the_maximum_is_refused(store: Store) -> None:
    memory = build(store, MEMORY).export("memory")
    assert memory.grow(3) == -1
    assert memory.grow(1 << 40) == -1
    assert memory.size() == 1


def test_an_empty_memory(store: Store) -> None:
    memory = build(store, '(module (memory (export "memory") 0))').export("memory")
    assert bytes(memory.view()) == b""
    memory.view()[0:0] = b""  # what an empty string at address 0 is written with
    assert memory.grow(1) == 0
    memory.view()[0] = 1
    assert bytes(memory.view()[:2]) == b"\1\0"


def test_the_largest_memory(store: Store) -> None:
    instance = build(store, MEMORY.replace("1 3", "65536"))
    view = instance.export("memory").view()
    assert len(view) == 1 << 32
    call(instance, "poke", -1, 7)
    assert view[-1] == 7
    view[(1 << 32) - 2] = 5
    assert call(instance, "peek", -2) == 5


def test_a_closed_store_has_no_memory(engine: Engine) -> None:
    store = engine.new_store()
    memory = build(store, MEMORY).export("memory")
    memory.view()
    store.close()
    for use in (memory.view, memory.size, lambda: memory.grow(1)):
        with pytest.raises(UnavailableError, match="closed"):
            use()


def test_shared_and_large_memories(engine: Engine) -> None:
    if not {"threads", "memory64"} <= engine.features:
        pytest.skip("wasmer has neither threads nor 64-bit memories")
    store = engine.new_store()
    shared = build(store, '(module (memory (export "memory") 1 2 shared))').export("memory")
    assert shared.type.shared
    shared.view()[7] = 3
    assert shared.grow(1) == 1
    assert shared.view()[7] == 3
    assert len(shared.view()) == 2 * PAGE
    user = build(
        store,
        """(module (import "m" "memory" (memory 1 2 shared))
          (func (export "get") (result i32) (i32.atomic.load8_u (i32.const 7))))""",
        [shared],
    )
    assert call(user, "get") == 3
    large = build(store, '(module (memory (export "memory") i64 1))').export("memory")
    assert large.type.is_64
    assert len(large.view()) == PAGE
    store.close()
    with pytest.raises(UnavailableError):
        shared.view()
