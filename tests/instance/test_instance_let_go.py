"""What a call held is let go with its error, not when the garbage collector comes to it."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from tests.instance.test_instance_threads import CALLER
from wippywasm.errors import Trap

TRAPS = """(component
  (core module $m
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64))
    (func (export "traps") (param i32 i32) (result i32) (unreachable))
    (func (export "lies") (param i32 i32) (result i32) (i32.const -4)))
  (core instance $i (instantiate $m))
  (func (export "traps") (param "s" (list u32)) (result string)
    (canon lift (core func $i "traps") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (func (export "lies") (param "s" (list u32)) (result string)
    (canon lift (core func $i "lies") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))"""


class Numbers(list[int]):
    """A list that can be looked for."""


@pytest.fixture(autouse=True)
def no_collections(engine: str) -> Iterator[None]:
    if engine == "wasmer":
        pytest.skip("wasmer's bindings raise an error with a cycle of their own")
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("function", ["traps", "lies"])
def test_arguments_of_a_call_that_fails(load: Any, function: str) -> None:
    guest = load(TRAPS).instantiate()
    numbers = Numbers([1, 2, 3])
    known = weakref.ref(numbers)
    try:
        guest.call(function, numbers)
    except Trap:
        del numbers
    assert known() is None


def test_what_a_host_function_that_raises_had(load: Any) -> None:
    held: list[weakref.ref[Numbers]] = []

    def host(n: int) -> int:
        numbers = Numbers([n])
        held.append(weakref.ref(numbers))
        raise ValueError(n)

    guest = load(CALLER).instantiate({"host": host})
    with pytest.raises(ValueError, match="7") as raised:
        guest.call("call", 7)
    del raised
    assert held[0]() is None
