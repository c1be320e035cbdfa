"""What a guest makes the host build counts as the host's memory, and is refused before it is built."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest

from wippywasm.abi import state
from wippywasm.errors import Trap

BOUND = 4 << 20

GUEST = """
(component
  (type $a' {named})
  (export $a "a" (type $a'))
  (core module $m
    (memory (export "memory") 33)
    (func (export "f") (param $inner i32) (param $n i32) (result i32)
      (local $at i32)
      ;; {{n}} lists at 1 MiB, each of {{inner}} elements at 0; a list of them at 2 MiB
      (loop $next
        (i32.store offset=1048580 (local.get $at) (local.get $inner))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br_if $next (i32.lt_u (local.get $at) (i32.mul (local.get $n) (i32.const 8)))))
      (i32.store (i32.const 2097152) (i32.const 1048576))
      (i32.store (i32.const 2097156) (local.get $n))
      (i32.const 2097152)))
  (core instance $i (instantiate $m))
  (func (export "f") (param "inner" u32) (param "n" u32) (result {result})
    (canon lift (core func $i "f") (memory (core memory $i "memory")))))
"""


@pytest.fixture(autouse=True)
def bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "MAX_HOST_BYTES", BOUND)


def _guest(load: Any, result: str, named: str = '(record (field "x" bool))') -> Any:
    return load(GUEST.format(result=result, named=named)).instantiate()


@pytest.mark.parametrize(
    ("named", "size"),
    [
        ('(record (field "x" bool))', 1),
        ("(tuple u8 u8)", 2),
        ('(flags "x" "y")', 1),
        ('(variant (case "x") (case "y" u8))', 2),
        ("(option (tuple u8))", 2),
        ("(list string)", 8),
        ("(list (list u8))", 8),
        ("(list (list s16))", 8),
        ("(list (map u8 u8))", 8),
        ("(list (tuple u8 (tuple u8 (tuple u8 (tuple u8 (tuple u8 (list u8)))))))", 16),
    ],
)
async def test_lists_that_share_their_elements(load: Any, named: str, size: int) -> None:
    """A megabyte of the guest's, again and again: the host builds no more than the bound allows, by call or task."""
    with _guest(load, "(list (list $a))", named) as guest:
        assert guest.call("f", 3, 5) is not None
    n = 60_000 // size
    for by_task in (False, True):
        guest = _guest(load, "(list (list $a))", named)
        tracemalloc.start()
        try:
            with pytest.raises(Trap, match="hold too much data: with a `"):
                await guest.call_async("f", n, 50_000) if by_task else guest.call("f", n, 50_000)
            assert tracemalloc.get_traced_memory()[1] < 2 * BOUND
        finally:
            tracemalloc.stop()
        guest.close()


@pytest.mark.parametrize(
    ("named", "inner", "n"),
    [
        ('(enum "x" "y")', 10, 12_000),
        ('(flags "x" "y")', 1, 10_000),
        ("(option u8)", 10, 12_000),
        ("(list bool)", 1, 10_000),
        ("string", 0, 30_000),
    ],
)
def test_what_is_small_and_slowly_read_counts_for_more(load: Any, named: str, inner: int, n: int) -> None:
    """These take less memory than the bound; with the real one, they would be read for half a minute."""
    with _guest(load, "(list (list $a))", named) as guest:
        assert len(guest.call("f", inner, n // 10)) == n // 10
        with pytest.raises(Trap, match="hold too much data"):
            guest.call("f", inner, n)


def test_a_long_list_is_refused_before_it_is_read(load: Any) -> None:
    with _guest(load, "(list $a)") as guest:
        assert guest.call("f", 0, 8_000) == [{"x": False}] * 8_000
        with pytest.raises(Trap, match=r"with a `list<record \{x\}>`") as raised:
            guest.call("f", 0, 60_000)
        assert "pass less at a time" in str(raised.value)


def test_bytes_and_the_values_of_other_calls_are_not_too_much(load: Any) -> None:
    with _guest(load, "(list u8)") as guest:
        for _ in range(50):
            assert len(guest.call("f", 0, 120_000)) == 120_000


@pytest.mark.parametrize("count", [4, 40])
def test_strings_that_are_the_same_memory(load: Any, count: int) -> None:
    """Not in a list, but many."""
    text = f"""
      (component
        (core module $m
          (memory (export "memory") 40)
          (func (export "f") (result i32)
            (local $at i32)
            (loop $next
              (i32.store offset=2097156 (local.get $at) (i32.const 200000))
              (local.set $at (i32.add (local.get $at) (i32.const 8)))
              (br_if $next (i32.lt_u (local.get $at) (i32.const {8 * count}))))
            (i32.const 2097152)))
        (core instance $i (instantiate $m))
        (func (export "f") (result (tuple {"string " * count}))
          (canon lift (core func $i "f") (memory (core memory $i "memory")))))
    """
    with load(text).instantiate() as guest:
        if count == 4:
            assert [len(x) for x in guest.call("f")] == [200_000] * 4
            return
        with pytest.raises(Trap, match="with a `string`"):
            guest.call("f")


def test_a_string_deep_in_a_result_without_lists(load: Any) -> None:
    deep = "string"
    value: Any = ""
    for _ in range(8):
        deep, value = f"(tuple u32 {deep})", (0, value)
    text = f"""
      (component
        (core module $m (memory (export "memory") 1) (func (export "f") (result i32) (i32.const 64)))
        (core instance $i (instantiate $m))
        (func (export "f") (result {deep}) (canon lift (core func $i "f") (memory (core memory $i "memory")))))
    """
    with load(text).instantiate() as guest:
        assert guest.call("f") == value


PAIR = """
(component
  (component $callee
    (core module $m
      (memory (export "memory") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
      (func (export "take") (param i32 i32 i32 i32)))
    (core instance $i (instantiate $m))
    (func (export "take") (param "items" (list (list (tuple u8 u8)))) (param "name" string)
      (canon lift (core func $i "take")
        (memory (core memory $i "memory")) (realloc (core func $i "realloc")) {callee})))
  (instance $callee (instantiate $callee))
  (core module $libc
    (memory (export "memory") 4)
    (func (export "fill") (param $n i32)
      (local $at i32)
      (loop $next
        (i32.store offset=65540 (local.get $at) (i32.const 30000))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br_if $next (i32.lt_u (local.get $at) (i32.mul (local.get $n) (i32.const 8)))))))
  (core instance $libc (instantiate $libc))
  (core func $take (canon lower (func $callee "take") (memory (core memory $libc "memory")) {caller}))
  (core module $m
    (import "" "take" (func $take (param i32 i32 i32 i32)))
    (import "" "fill" (func $fill (param i32)))
    (func (export "run") (param i32)
      (call $fill (local.get 0))
      (call $take (i32.const 65536) (local.get 0) (i32.const 0) (i32.const 0))))
  (core instance $i (instantiate $m (with "" (instance
    (export "take" (func $take)) (export "fill" (func $libc "fill"))))))
  (func (export "run") (param "n" u32) (canon lift (core func $i "run"))))
"""


@pytest.mark.parametrize(("caller", "callee"), [("", ""), ("string-encoding=utf16", "string-encoding=latin1+utf16")])
def test_lists_between_components(load: Any, caller: str, callee: str) -> None:
    """As they are, and where strings are transcoded, which takes another way."""
    guest = load(PAIR.format(caller=caller, callee=callee)).instantiate()
    tracemalloc.start()
    try:
        with pytest.raises(Trap, match="hold too much data"):
            guest.call("run", 20_000)
        assert tracemalloc.get_traced_memory()[1] < 2 * BOUND
    finally:
        tracemalloc.stop()
    guest.close()
