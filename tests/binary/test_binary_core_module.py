"""The outside of core modules."""

from __future__ import annotations

import pytest

from tests.steps import steps_of
from tools.dense import leb, text
from wippywasm.binary import core_module, sniff
from wippywasm.binary.component import CustomSection
from wippywasm.binary.core_custom import MOST_PRODUCERS, ProducersReader, read_module_name
from wippywasm.core import (
    CoreFuncType,
    CoreGlobalType,
    CoreImport,
    CoreMemoryType,
    CoreTableType,
    CoreTagType,
    Limits,
)
from wippywasm.engine import wat2wasm
from wippywasm.errors import BinaryError, MalformedError, ValidationError

EVERYTHING = """
(module $all
  (type $node (struct (field i32) (field (mut (ref null $node)))))
  (rec (type $a (func (param (ref null $b)))) (type $b (func (result (ref $a)))))
  (import "env" "f" (func (type $a)))
  (import "env" "m" (memory 1 2 shared))
  (memory $big i64 1)
  (table 1 funcref (ref.null func))
  (table $wide i64 1 (ref null $node))
  (global (export "g") (mut i32) (i32.add (i32.const 1) (i32.const 2)))
  (global (export "v") v128 (v128.const i64x2 1 2))
  (global (export "s") (ref $node) (struct.new $node (i32.const 1) (ref.null $node)))
  (tag (export "t") (param i32))
  (func $named (export "x") (param i32) (result i64) unreachable)
  (export "m0" (memory 0))
  (export "m1" (memory $big))
  (export "wide" (table $wide)))
"""


def test_imports_exports_and_index_spaces() -> None:
    module = core_module.parse(wat2wasm(EVERYTHING))
    exports = {export.name: export.type for export in module.exports}
    assert module.imports[1] == CoreImport("env", "m", CoreMemoryType(Limits(1, 2), shared=True))
    assert exports["g"] == CoreGlobalType("i32", mutable=True)
    assert exports["v"] == CoreGlobalType("v128", mutable=False)
    assert exports["t"] == CoreTagType(CoreFuncType(("i32",)))
    assert exports["x"] == CoreFuncType(("i32",), ("i64",))
    assert exports["m1"] == CoreMemoryType(Limits(1), is_64=True)
    assert exports["m0"] == module.imports[1].type
    wide = exports["wide"]
    assert isinstance(wide, CoreTableType)
    assert wide.is_64
    assert wide.element.startswith("(ref null (struct")
    assert module.type.exports == module.exports


def test_names_are_read_when_asked_for() -> None:
    module = core_module.parse(wat2wasm(EVERYTHING))
    assert module.module_name == "all"
    assert ProducersReader().read(module.customs) == {}


def test_producers() -> None:
    text = r"""(module (@producers (language "Rust" "1.90") (processed-by "tool" "2")))"""
    assert ProducersReader().read(core_module.parse(wat2wasm(text)).customs) == {
        "language": (("Rust", "1.90"),),
        "processed-by": (("tool", "2"),),
    }


def test_no_more_producers_of_a_file_are_read_than_anybody_looks_at() -> None:
    reader = ProducersReader()
    one_field = reader.read([_producers(text("sdk") + leb(400) + 400 * (text("a") + text("1")))])
    assert len(one_field["sdk"]) == 400
    many = reader.read([_producers(*(text(f"f{n}") + b"\0" for n in range(400)))])
    assert len(many) == 400
    rest = reader.read([_producers(text("g") + leb(2000) + 2000 * (text("a") + text("1")))])
    assert len(rest["g"]) == MOST_PRODUCERS - (1 + 400 + 400 + 1)
    assert not reader.read([_producers(text("h") + b"\0")])


def test_subsections_of_names_are_read_no_further_than_to_the_one_that_is_asked_for() -> None:
    named = b"\0\2\1m"
    assert read_module_name([CustomSection("name", memoryview(named), 0)]) == "m"
    unordered = CustomSection("name", memoryview(2 * b"\5\0" + named), 0)
    assert read_module_name([unordered]) is None
    assert steps_of(lambda: read_module_name([CustomSection("name", memoryview(10_000 * b"\5\0"), 0)])) < 1000


def _producers(*fields: bytes) -> CustomSection:
    return CustomSection("producers", memoryview(leb(len(fields)) + b"".join(fields)), 0)


def test_broken_custom_sections_are_no_error() -> None:
    broken = b"\0asm\1\0\0\0" + b"\x00\x08\x04name\x01\xff\xff" + b"\x00\x0b\x09producers\x7f"
    module = core_module.parse(broken)
    assert module.module_name is None
    assert ProducersReader().read(module.customs) == {}
    assert [custom.name for custom in module.customs] == ["name", "producers"]


def test_equal_types_of_two_modules_print_the_same() -> None:
    one = wat2wasm('(module (type $p (func)) (type $t (func (param (ref $p)))) (import "" "f" (func (type $t))))')
    two = wat2wasm(
        '(module (type (struct)) (type $p (func)) (type $t (func (param (ref $p)))) (import "" "f" (func (type $t))))'
    )
    assert core_module.parse(one).imports == core_module.parse(two).imports


def test_different_types_print_differently_however_long() -> None:
    def parsed(last: str) -> CoreImport:
        params = "i32 " * 50 + last
        text = f'(module (type $p (func (param {params}))) (import "" "f" (func (param (ref $p)))))'
        return core_module.parse(wat2wasm(text)).imports[0]

    assert parsed("i32") == parsed("i32")
    assert parsed("i32") != parsed("i64")


def test_code_is_not_walked() -> None:
    body = b"\xff" * 1000
    code = b"\x01" + b"\xe8\x07" + body
    wasm = b"\0asm\1\0\0\0" + b"\x01\x04\x01\x60\x00\x00" + b"\x03\x02\x01\x00" + b"\x0a\xeb\x07" + code
    assert core_module.parse(wasm).functions == (CoreFuncType(),)


@pytest.mark.parametrize(
    ("wasm", "kind", "message"),
    [
        (b"\0asm\1\0\0\0\x03\x02\x01\x00", ValidationError, "unknown type 0"),
        (b"\0asm\1\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\x00", MalformedError, "inconsistent lengths"),
        (b"\0asm\1\0\0\0\x07\x05\x01\x01f\x00\x00", ValidationError, "out of bounds"),
        (b"\0asm\1\0\0\0\x05\x01\x00\x01\x01\x00", MalformedError, "out of order"),
        (b"\0asm\1\0\0\0\x05\x05\x01\x00\x81\x80\x04", ValidationError, "memory size must be at most 65536"),
        (b"\0asm\1\0\0\0\x05\x04\x01\x01\x02\x01", ValidationError, "must not be greater than maximum"),
        (b"\0asm\1\0\0\0\x05\x03\x01\x02\x02", ValidationError, "shared memory must have maximum"),
        (b"\0asm\1\0\0\0\x0e\x00", MalformedError, "malformed section id"),
        (b"\0asm\1\0\0\0\x01\x02\x00\x00", MalformedError, "unexpected data"),
        (b"\0asm\x0d\0\1\0", MalformedError, "expected a core module"),
        (b"\0asm\1\0\0\0\x06\x06\x01\x7f\x02\x41\x00\x0b", MalformedError, "malformed mutability 0x02 of a global"),
    ],
)
def test_refusals_say_what_and_where(wasm: bytes, kind: type[BinaryError], message: str) -> None:
    with pytest.raises(kind, match=message) as caught:
        core_module.parse(wasm)
    assert caught.value.offset <= len(wasm)


@pytest.mark.parametrize(
    "code",
    [
        "(i32.eqz (i32.const 0))",
        "(block (result i32) (i32.const 0))",
        "(call $f)",
        "(i32.const 0) drop (i32.const 1)",
        "(i32.trunc_sat_f32_s (f32.const 0))",
        "(i32x4.extract_lane 0 (v128.const i32x4 0 0 0 0))",
        "(i32.atomic.load (i32.const 0))",
        "(ref.eq (ref.null eq) (ref.null eq))",
        "(i31.get_s (ref.i31 (i32.const 0)))",
    ],
)
def test_instructions_that_are_not_constant(code: str) -> None:
    """They are instructions, so the module is invalid, and not malformed."""
    wasm = wat2wasm(f"(module (memory 1 1 shared) (func $f (result i32) i32.const 0) (global i32 {code}))")
    with pytest.raises(ValidationError, match="constant expression required"):
        core_module.parse(wasm)


@pytest.mark.parametrize(
    "code", [b"\xff", b"\x27", b"\x05", b"\xc5", b"\xfb\x1f", b"\xfc\x18", b"\xfd\x9a\1", b"\xfe\x04"]
)
def test_opcodes_that_are_none(code: bytes) -> None:
    body = b"\x01\x7f\x00" + code + b"\x0b"
    with pytest.raises(MalformedError, match="illegal opcode"):
        core_module.parse(b"\0asm\1\0\0\0\x06" + bytes([len(body)]) + body)


def test_sniff() -> None:
    assert sniff(b"\0asm\1\0\0\0") == "module"
    assert sniff(b"\0asm\x0d\0\1\0rest") == "component"
    for other in (b"", b"\0as", b"#!/bin/sh", b"\0asm\2\0\0\0", b"\0asm\x0c\0\1\0"):
        with pytest.raises(MalformedError):
            sniff(other)


def test_offsets_count_from_the_start_of_the_file_around_the_module() -> None:
    inner = b"\0asm\1\0\0\0\x0e\x00"
    with pytest.raises(MalformedError) as caught:
        core_module.parse(b"x" * 100 + inner, start=100)
    assert caught.value.offset == 108
