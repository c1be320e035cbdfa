"""Whatever the bytes are: a component or an error of ours."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.binary.binary_text import LIFTED
from tools.fuzz_decode import mutate
from wippywasm.binary import core_module, decode, sniff
from wippywasm.engine import wat2wasm
from wippywasm.errors import BinaryError

SEEDS = [
    wat2wasm(f"(component {LIFTED})"),
    wat2wasm("""(component
      (type $I (instance (export "r" (type $r (sub resource))) (export "f" (func (param "x" (borrow $r))))))
      (import "a:b/c@1.0.0" (instance $i (type $I))) (alias export $i "r" (type $r))
      (component $C (import "r" (type $r (sub resource))) (export "s" (type $r)))
      (instance $c (instantiate $C (with "r" (type $r)))) (export "out" (instance $c)))"""),
    wat2wasm("""(component
      (type $rec (record (field "a" (list u8)) (field "b" (option string)))) (export $rec' "rec" (type $rec))
      (type (variant (case "x" $rec') (case "y"))) (type (enum "p" "q")) (type (flags "p" "q"))
      (type (stream u8)) (type (future $rec')) (type (map string u32)) (type (list u8 4))
      (core type (module (type $f (func (param i32))) (import "a" "b" (func (type $f))) (export "c" (memory 1))))
      (type (component (import "x" (func async (result $rec'))) (export "y" (type (sub resource)))))
      (core func (canon waitable-set.new)) (core func (canon stream.new 5)))"""),
]


@settings(max_examples=150)
@given(st.integers(0, 2**32))
def test_mutated_components(seed: int) -> None:
    answer(mutate(random.Random(seed), SEEDS))


@settings(max_examples=150)
@given(st.binary(max_size=200))
def test_arbitrary_sections(body: bytes) -> None:
    answer(b"\0asm\x0d\0\1\0" + body)


@settings(max_examples=100)
@given(st.binary(max_size=200))
def test_arbitrary_bytes(data: bytes) -> None:
    answer(data)
    answer(b"\0asm\1\0\0\0" + data)


def answer(data: bytes) -> None:
    """Decode in every way; nothing but errors of ours, and offsets within the bytes."""
    places: list[int] = []
    for read in (sniff, decode, core_module.parse):
        try:
            read(data)
        except BinaryError as error:
            places.append(error.offset)
    assert all(0 <= place <= len(data) for place in places)
