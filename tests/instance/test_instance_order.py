"""When pointers are checked: where the specification does it, before the guest can make a wrong one right, or go on.

A `realloc` gives one wrong pointer, and what it does when it is called once more would hide that: it grows its memory,
or traps for a reason of its own.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from wippywasm.errors import Trap

GROW = "(drop (memory.grow (i32.const 4)))"
TRAP = "unreachable"
BEYOND, END = 65536, 65536 - 8

GUEST = """(component
  (import "records" (func $records (result (list (tuple string string)))))
  (import "pair" (func $pair (result (tuple string string))))
  (core module $a
    (memory (export "memory") 1)
    (global $calls (mut i32) (i32.const 0))
    (global $top (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
      (if (i32.gt_u (global.get $calls) (i32.const WRONG)) (then AFTER))
      (if (i32.eq (global.get $calls) (i32.const WRONG)) (then (return (i32.const POINTER))))
      (global.set $top (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
      (global.get $top)
      (global.set $top (i32.add (global.get $top) (local.get 3)))))
  (core module $b
    (import "h" "records" (func $records (param i32)))
    (import "h" "pair" (func $pair (param i32)))
    (func (export "take-records") (param i32 i32))
    (func (export "take-pair") (param i32 i32 i32 i32))
    (func (export "ask-records") (param i32) (call $records (local.get 0)))
    (func (export "ask-pair") (param i32) (call $pair (local.get 0))))
  (core instance $a (instantiate $a))
  (alias core export $a "memory" (core memory $memory))
  (alias core export $a "realloc" (core func $realloc))
  (core func $records (canon lower (func $records) (memory $memory) (realloc (core func $realloc))))
  (core func $pair (canon lower (func $pair) (memory $memory) (realloc (core func $realloc))))
  (core instance $b (instantiate $b (with "h" (instance
    (export "records" (func $records)) (export "pair" (func $pair))))))
  (func (export "take-records") (param "x" (list (tuple string string)))
    (canon lift (core func $b "take-records") (memory $memory) (realloc (core func $realloc))))
  (func (export "take-pair") (param "x" (tuple string string))
    (canon lift (core func $b "take-pair") (memory $memory) (realloc (core func $realloc))))
  (func (export "ask-records") (param "area" u32) (canon lift (core func $b "ask-records")))
  (func (export "ask-pair") (param "area" u32) (canon lift (core func $b "ask-pair"))))"""

VALUES: dict[str, Any] = {"records": [("a", "b"), ("c", "d")], "pair": ("a", "b")}


async def _records() -> Any:
    await asyncio.sleep(0)
    return VALUES["records"]


async def _pair() -> Any:
    await asyncio.sleep(0)
    return VALUES["pair"]


PLAIN = {name: (lambda name=name: VALUES[name]) for name in VALUES}
WAITING = {"records": _records, "pair": _pair}


async def by_a_task(component: Any, hosts: Any, name: str, value: Any) -> Any:
    with component.instantiate(imports=hosts) as guest:
        return await guest.call_async(name, value)


@pytest.fixture(params=["plain", "by a task", "by a task, with hosts that wait"])
def call(request: pytest.FixtureRequest, load: Any) -> Any:
    """Call a function of a guest whose call number `wrong` of `realloc` gives `pointer`; later ones do `after`."""

    def call(wrong: int, pointer: int, after: str, name: str, value: Any) -> Any:
        text = GUEST.replace("WRONG", str(wrong)).replace("POINTER", str(pointer)).replace("AFTER", after)
        hosts = WAITING if "wait" in request.param else PLAIN
        if request.param == "plain":
            with load(text).instantiate(imports=hosts) as guest:
                return guest.call(name, value)
        return asyncio.run(by_a_task(load(text), hosts, name, value))

    return call


@pytest.mark.parametrize("after", [GROW, TRAP])
@pytest.mark.parametrize(
    ("name", "wrong", "pointer", "code"),
    [
        ("take-records", 1, BEYOND, "realloc out of bounds"),
        ("take-records", 1, END, "realloc out of bounds"),
        ("take-records", 1, 1026, "unaligned pointer"),
        ("take-records", 3, BEYOND, "realloc out of bounds"),
        ("take-pair", 1, BEYOND, "realloc out of bounds"),
        ("ask-records", 1, BEYOND, "realloc out of bounds"),
        ("ask-records", 1, 1026, "unaligned pointer"),
        ("ask-records", 4, BEYOND, "realloc out of bounds"),
        ("ask-pair", 1, BEYOND, "realloc out of bounds"),
    ],
)
def test_new_memory(call: Any, after: str, name: str, wrong: int, pointer: int, code: str) -> None:
    value = 64 if name.startswith("ask") else VALUES[name.removeprefix("take-")]
    with pytest.raises(Trap) as caught:
        call(wrong, pointer, after, name, value)
    assert caught.value.code == code


@pytest.mark.parametrize("after", [GROW, TRAP])
@pytest.mark.parametrize("name", ["ask-records", "ask-pair"])
@pytest.mark.parametrize(
    ("area", "code"),
    [(66, "unaligned pointer"), (65536 - 4, "pointer out of bounds"), (BEYOND, "pointer out of bounds")],
)
def test_where_a_result_is_to_be_written(call: Any, after: str, name: str, area: int, code: str) -> None:
    with pytest.raises(Trap) as caught:
        call(0, 0, after, name, area)
    assert caught.value.code == code


@pytest.mark.parametrize("name", ["ask-records", "ask-pair", "take-records", "take-pair"])
def test_memory_that_has_grown_is_all_there(call: Any, name: str) -> None:
    """What the host knows of the memory's size is no more than a size that it has at least."""
    value = 65536 - 16 if name.startswith("ask") else VALUES[name.removeprefix("take-")]
    assert call(0, 0, GROW + "(global.set $top (i32.const 300000))", name, value) is None
    assert call(2, 65535, GROW, name, value) is None
