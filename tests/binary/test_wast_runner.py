"""The runner itself: what holds passes, what does not fails, what can't be tried is skipped with its reason."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from spec_tests import FileResult, Options
from spec_tests.wast import find, run
from spec_tests.wast_messages import same_meaning
from spec_tests.wast_syntax import WastSyntaxError, parse, unescape
from spec_tests.wast_values import arguments, same
from spec_tests.wast_values import result as expected
from wippywasm.engine.port import Engine
from wippywasm.model import (
    F32,
    STRING,
    U8,
    U32,
    Case,
    EnumType,
    Field,
    FlagsType,
    FuncType,
    ListType,
    MapType,
    OptionType,
    Param,
    RecordType,
    ResultType,
    TupleType,
    ValType,
    VariantType,
)
from wippywasm.values import Err, Ok, Some, Variant

ADDER = """
  (core module $m (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "trap") unreachable))
  (core instance $i (instantiate $m))
  (func (export "add") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "add")))
  (func (export "trap") (canon lift (core func $i "trap")))
"""
MIXED = f"""
(component $a {ADDER})
(assert_return (invoke "add" (u32.const 1) (u32.const 2)) (u32.const 3))
(assert_return (invoke "add" (u32.const 1) (u32.const 2)) (u32.const 4))
(assert_trap (invoke "trap") "unreachable")
(assert_trap (invoke "add" (u32.const 1) (u32.const 2)) "unreachable")
(component definition $d {ADDER})
(component instance $e $d)
(assert_return (invoke $e "add" (u32.const 4294967295) (u32.const 2)) (u32.const 1))
(assert_invalid (component (type (list 7))) "index out of bounds")
(assert_invalid (component (type (list 7))) "something else")
(assert_invalid (component (type (list u8))) "index out of bounds")
(assert_malformed (component binary "\\00asm\\0d\\00\\01\\00\\40\\00") "malformed section id")
(assert_malformed (component (type (list 7))) "index out of bounds")
(assert_malformed (component quote "(nonsense)") "")
(assert_unlinkable (component (import "nobody" (func))) "nobody")
(component (nonsense))
(assert_return (invoke "add" (u32.const 1) (u32.const 2)) (u32.const 3))
(unheard-of "thing")
(script "thing")
(register "other" $e)
(component (import "other" (instance $o (export "add" (func (param "a" u32) (param "b" u32) (result u32)))))
  (export "sum" (func $o "add")))
(assert_return (invoke "sum" (u32.const 20) (u32.const 22)) (u32.const 42))
(module (func (export "f") (param i32) (result i32) (local.get 0)) (global (export "g") i64 (i64.const -1)))
(assert_return (invoke "f" (i32.const 0xffffffff)) (i32.const -1))
(assert_return (get "g") (i64.const -1))
"""


def run_text(tmp_path: Path, text: str, engine: Engine) -> FileResult:
    path = tmp_path / "case.wast"
    path.write_text(text)
    return run(path, Options(engine.name))


def lines(results: list[tuple[str, str]]) -> list[int]:
    return [int(name.rpartition(":")[2]) - 1 for name, _ in results]


def starting(*starts: str) -> list[int]:
    """The lines of the mixed file that start so."""
    rows = MIXED.strip("\n").split("\n")
    return sorted(next(i for i, row in enumerate(rows) if row.startswith(start)) for start in starts)


def test_every_kind_of_directive(tmp_path: Path, engine: Engine) -> None:
    result = run_text(tmp_path, MIXED.strip("\n"), engine)
    assert lines(result.failed) == starting(
        '(assert_return (invoke "add" (u32.const 1) (u32.const 2)) (u32.const 4))',
        '(assert_trap (invoke "add"',
        '(assert_invalid (component (type (list 7))) "something else")',
        "(assert_invalid (component (type (list u8)))",
        "(assert_malformed (component (type (list 7)))",
        "(unheard-of",
    )
    reasons = [reason for _, reason in result.skipped]
    assert [reason.split(":")[0] for reason in reasons] == [
        "the text parser refuses it",
        "its component did not come up",
        "there is no way here to run `script`",
    ]
    assert result.passed == 16


def test_a_file_that_does_not_split_is_one_failure(tmp_path: Path, engine: Engine) -> None:
    result = run_text(tmp_path, "(component", engine)
    assert result.failed == [("case.wast:1", "can't be read: a parenthesis is never closed")]
    result = run_text(tmp_path, "(component)\n\n) (component)", engine)
    assert result.failed == [("case.wast:3", "can't be read: a closing parenthesis without its opening one")]


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path, engine: Engine) -> None:
    result = run_text(tmp_path, "\ufeff(component)", engine)
    assert (result.passed, result.failed) == (1, [])


def test_find(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "x.wast").touch()
    (tmp_path / "a.wast").touch()
    (tmp_path / "c.wit").touch()
    assert [path.name for path in find(tmp_path)] == ["a.wast", "x.wast"]
    assert list(find(tmp_path / "c.wit")) == []


def test_comments_and_strings() -> None:
    groups = parse(';; one (\n(a (; two (; three ;) ) ;) "x)\\"" $b;c\n)')
    assert [type(item).__name__ for item in groups[0].items] == ["Atom", "String", "Atom"]
    assert unescape(r"\00\ff\n\u{2603}☃") == b"\x00\xff\n\xe2\x98\x83\xe2\x98\x83"
    for bad in ("(; never", ")", '"open', "(a"):
        with pytest.raises(WastSyntaxError):
            parse(bad)


PAIR = RecordType((Field("a", U32), Field("b", OptionType(OptionType(U8)))))


@pytest.mark.parametrize(
    ("text", "type", "value"),
    [
        ("(list.const (u8.const 1) (u8.const 0xff))", ListType(U8), b"\x01\xff"),
        ("(list.const (u32.const 1_000))", ListType(U32), [1000]),
        ("(list.const (u32.const 010) (u32.const +0x0_a))", ListType(U32), [10, 10]),
        ("(list.const (list.const (u8.const 1) (u8.const 2)))", ListType(ListType(U8, 2)), [b"\x01\x02"]),
        ('(map.const (tuple.const (str.const "a") (u32.const 1)))', MapType(STRING, U32), {"a": 1}),
        ('(list.const (tuple.const (str.const "a") (u32.const 1)))', MapType(STRING, U32), {"a": 1}),
        ('(tuple.const (str.const "☃") (f32.const 0x1p-1))', TupleType((STRING, F32)), ("☃", 0.5)),
        ('(record.const (field "a" u32.const 1) (field "b" (option.none)))', PAIR, {"a": 1, "b": None}),
        (
            '(record.const (field "b" option.some (option.some (u8.const 1))) (field "a" (u32.const 2)))',
            PAIR,
            {"a": 2, "b": Some(1)},
        ),
        ('(variant.const "x" (u8.const 3))', VariantType((Case("x", U8), Case("y"))), Variant("x", 3)),
        ('(variant.const "y")', VariantType((Case("x", U8), Case("y"))), Variant("y")),
        ('(enum.const "p")', EnumType(("p", "q")), "p"),
        ('(flags.const "p" "q")', FlagsType(("p", "q")), {"p", "q"}),
        ("(result.ok (u8.const 1))", ResultType(U8, None), Ok(1)),
        ("(result.err)", ResultType(U8, None), Err()),
    ],
)
def test_values(text: str, type: ValType, value: object) -> None:
    (group,) = parse(text)
    assert same(expected([group], type, group), value)
    (argument,) = arguments([group], FuncType((Param("x", type),)), group)
    assert same(argument, [*value.items()] if isinstance(type, MapType) and isinstance(value, dict) else value)


def test_same_tells_apart_what_python_calls_equal() -> None:
    assert same(math.nan, math.nan)
    assert not same(math.nan, -math.nan)
    assert not same([1, 2], (1, 2))
    assert same([Variant("a", math.nan)], [Variant("a", math.nan)])
    assert not same(0.0, -0.0)
    assert not same(True, 1)
    assert not same({"a": 1.5}, {"a": 1.25})
    assert not same(Ok(1), Err(1))


NOWHERE = "but a matching implementation was not found in the linker"


@pytest.mark.parametrize(
    ("expected", "actual", "holds"),
    [
        ("out of bounds", "type index out of bounds", True),
        ("unexpected end-of-file", "unexpected end: 5 bytes are announced", True),
        ("invalid leading byte (0x2) for instance", "invalid leading byte (0x2) for an instance", True),
        ("invalid leading byte (0x2) for instance", "invalid leading byte (0x3) for an instance", False),
        ("wasm trap: wasm `unreachable` instruction executed", "the guest trapped: unreachable", True),
        ("unexpected character 'a'", "type mismatch", False),
        ("types", "unexpected end: 5 bytes are announced", False),
        ("offset", "unexpected end: 5 bytes are announced (at offset 0x4)", False),
        ("trapped", "the guest trapped: unreachable", False),
        ("reach", "the guest trapped: unreachable", False),
        ("`stream<char>` is not valid", "import `a`: expected instance, found func", False),
        ("type mismatch in stream", "expected instance, found func", False),
        ("type mismatch in stream", "type mismatch in stream: expected primitive `u8` found primitive `u16`", True),
        ("invalid boolean value", "invalid leading byte (0xff) for a canonical definition", False),
        ("out of bounds memory access", "the guest trapped: undefined element: out of bounds table access", False),
        ("name `a` is not a valid extern", "`` is not a valid extern name", True),
        (f"component imports function `a`, {NOWHERE}", "nothing is given for import 'a': function 'a'", True),
        (f"component imports function `a`, {NOWHERE}", "nothing is given for import 'a#f': function 'f'", False),
        (f"component imports instance `a`, {NOWHERE}", "nothing is given for import 'a#f': function 'f'", True),
        (f"component imports instance `a`, {NOWHERE}", "nothing is given for import 'a': function 'a'", False),
        ("not implemented: aliasing core module types", "a core module type can't alias module types", True),
    ],
)
def test_messages(expected: str, actual: str, holds: bool) -> None:
    assert same_meaning(expected, actual) is holds


LACKING = """
(module definition $d (func $f unknown.instruction))
(module instance $a $d)
(assert_return (invoke $a "f"))
(register "a" $a)
(module $b (import "a" "f" (func)))
(assert_unlinkable (module (import "a" "f" (func))) "incompatible import type")
(assert_return (invoke $b "f"))
(component definition $n (nonsense))
(component instance $c $n)
(component instance $d $nowhere)
(module $a (func (export "f")))
(module (import "a" "f" (func)))
"""


def test_what_refers_to_something_skipped_is_skipped_for_the_same_reason(tmp_path: Path, engine: Engine) -> None:
    result = run_text(tmp_path, LACKING.strip("\n"), engine)
    assert result.failed == [("case.wast:10", "there is no definition $nowhere")]
    assert result.passed == 2
    reasons = [reason.removeprefix("its component did not come up: ") for _, reason in result.skipped]
    assert len(reasons) == 9
    assert len(set(reasons[:7])) == len(set(reasons[7:])) == 1
    assert all(reason.startswith("the text parser refuses it") for reason in reasons)
