"""Calls from component to component to component: over a hundred hops work, and endless ones end in a trap."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from wippywasm.errors import Trap

LAST = """
(component $last
  (core module $m (func (export "f") (result i32) (i32.const 1)))
  (core instance $i (instantiate $m))
  (func (export "f") (result u32) (canon lift (core func $i "f"))))
"""
HOP = """
(component $hop
  (import "f" (func $f (result u32)))
  (core func $lowered (canon lower (func $f)))
  (core module $m
    (import "" "f" (func $f (result i32)))
    (func (export "f") (result i32) (i32.add (call $f) (i32.const 1))))
  (core instance $i (instantiate $m (with "" (instance (export "f" (func $lowered))))))
  (func (export "f") (result u32) (canon lift (core func $i "f"))))
"""


def chain(length: int) -> str:
    hops = "".join(f'(instance $i{i} (instantiate $hop (with "f" (func $i{i - 1} "f"))))' for i in range(1, length))
    return f'(component {LAST} {HOP} (instance $i0 (instantiate $last)) {hops} (export "f" (func $i{length - 1} "f")))'


def test_a_hundred_hops(load: Any) -> None:
    with load(chain(100)).instantiate() as guest:
        assert guest.call("f") == 100


def outcome_of(component: Any) -> str:
    with component.instantiate() as guest:
        try:
            guest.call("f")
        except Trap as trap:
            return trap.code
    return "a result"


def test_more_than_the_stack_holds(load: Any) -> None:
    assert outcome_of(load(chain(1_000))) == "call stack exhausted"


@pytest.mark.parametrize("stack", [8 << 20, 1 << 20], ids=["8 MiB", "1 MiB"])
def test_more_than_the_stack_of_a_thread_holds(load: Any, stack: int) -> None:
    component = load(chain(1_000))
    found: list[str] = []
    before = threading.stack_size(stack)
    try:
        thread = threading.Thread(target=lambda: found.append(outcome_of(component)))
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join()
    assert found == ["call stack exhausted"]
