"""Computed constants are found, whatever stands before them, in time for what is not read."""

from __future__ import annotations

import pytest

from tests.steps import steps_of
from wippywasm.binary.constants import has_extended_const
from wippywasm.engine import wat2wasm
from wippywasm.engine.refusals import needed_features
from wippywasm.errors import ValidationError


@pytest.mark.parametrize("functions", ["0 1 127", "128 0 129", "149 128 149 128", ""])
@pytest.mark.parametrize("computed", [True, False])
def test_functions_of_an_element_segment_are_passed_over(functions: str, *, computed: bool) -> None:
    place = "(i32.add (i32.const 1) (i32.const 2))" if computed else "(i32.const 3)"
    wat = f'(module (memory 1) {150 * "(func)"} (elem func {functions}) (elem func 1) (data (offset {place}) "x"))'
    assert has_extended_const(wat2wasm(wat)) is computed


def test_functions_of_an_element_segment_take_no_time_each() -> None:
    def steps(count: int) -> int:
        wasm = wat2wasm(f"(module {200 * '(func)'} (elem func {'1 199 ' * count}))")
        return steps_of(lambda: has_extended_const(wasm))

    assert steps(2000) < 2 * steps(20)


def test_segments_are_read_when_they_are_known_to_be_valid() -> None:
    segments = b"\xa1\x8d\x06" + 100_001 * b"\1\0"
    wasm = b"\0asm\1\0\0\0\x0b" + b"\xc5\x9a\x0c" + segments

    def refused() -> None:
        with pytest.raises(ValidationError, match="data segments count exceeds limit"):
            needed_features(wasm)

    assert steps_of(refused) < 10_000
