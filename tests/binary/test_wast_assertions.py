"""Assertions that hold pass; each wrong or malformed one fails, at its line, and keeps no other from being run."""

from __future__ import annotations

from pathlib import Path

import pytest

from spec_tests import Options
from spec_tests.__main__ import main
from spec_tests.wast import run
from wippywasm.engine.port import Engine

CORE = (
    '(module $m (@custom "x") (func (export "swap") (param f32 f64 i32) (result f64 f32) local.get 1 local.get 0)'
    ' (func (export "five") (result i32) i32.const 5) (func (export "nop")) (func (export "stop") unreachable)'
    ' (func $r (export "again") (param f32) (call $r (local.get 0))) (memory (export "mem") 1)'
    ' (func (export "nan") (result f32) (f32.const nan:0x600000)) (func (export "wide") (result i64) (i64.const -1))'
    ' (global (export "g") f32 (f32.const -nan:0x1)) (global (export "i") (mut i64) (i64.const -1)))'
)
RIGHT_CORE = """
(@custom "annotations are like space" (and) "nest") (@"so is this" ;; )
)
(assert_return (invoke $m "swap" (f32.const 0x1.00000100000000001p0) (f64.const 1) (i32.const 010))
  (f64.const 1) (f32.const 0x1.000002p0))
(assert_return (invoke "swap" (f32.const nan:0x1) (f64.const -nan:0x1) (i32.const 1))
  (f64.const -nan:0x1) (f32.const nan:0x1))
(assert_return (invoke "swap" (f32.const nan) (f64.const -nan) (i32.const 1))
  (f64.const nan:canonical) (f32.const nan:arithmetic))
(assert_return (invoke "swap" (f32.const inf) (f64.const -0) (i32.const 0xffffffff)) (f64.const -0) (f32.const inf))
(assert_return (invoke "nan") (f32.const nan:arithmetic))
(assert_return (get "g") (f32.const -nan:0x1))
(assert_return (get $m "i") (i64.const 0xffff_ffff_ffff_ffff))
(assert_return (@here (too)) (invoke "wide") (either (i64.const 3) (i64.const -1)))
(assert_return (invoke "nop"))
(assert_trap (invoke "stop") "unreachable")
(assert_exhaustion (invoke "again" (f32.const 1)) "call stack exhausted")
(assert_trap (module (func $s unreachable) (start $s)) "unreachable")
(assert_malformed (module quote "(func (i32.const 0x1g))") "unknown operator")
(assert_malformed (module quote "(func (i32.const))") "unexpected token")
(assert_malformed (module quote "(data \\"\\\\zz\\")") "malformed")
(assert_malformed (module quote "\\ff") "malformed UTF-8 encoding")
(assert_malformed (module quote "(@) (func)") "empty annotation id")
(assert_malformed (component quote "(bogus)") "unexpected token")
(module quote "(@custom \\"a\\") (func) ;; the end")
(component quote "(core module) ;; the end")
(component (@name "x") (core module (@custom "y")))
"""
WRONG_CORE = """
(assert_return (invoke "five") (i32.const 4294967301))
(assert_return (invoke "five") (i64.const 5))
(assert_return (invoke "five") (u32.const 5))
(assert_return (invoke "five") (i32.const 5) (i32.const 5))
(assert_return (invoke "five"))
(assert_return (invoke "nop") (i32.const 5))
(assert_return (invoke "five") (i32.const 5 5))
(assert_return (invoke "five") (i32.const))
(assert_return (invoke "five") (i32.const "5"))
(assert_return (invoke "five") (i32.const 5.0))
(assert_return (invoke "five") (i32.const 5) "5")
(assert_return (invoke "five") (either))
(assert_return (invoke "five") (either (i32.const 4) (i64.const 5)))
(assert_return (invoke "five" (i32.const 1)) (i32.const 5))
(assert_return (invoke "i") (i64.const -1))
(assert_return (get "five") (i32.const 5))
(assert_return (get "mem") (i32.const 5))
(assert_return (get "nothing") (i32.const 5))
(assert_return (get "i" (i32.const 1)) (i64.const -1))
(assert_return (call "five") (i32.const 5))
(assert_return (invoke "nan") (f32.const nan:canonical))
(assert_return (invoke "nan") (f32.const nan:0x200000))
(assert_return (invoke "nan") (f32.const nan:0x800000))
(assert_return (invoke "nan") (f32.const nan))
(assert_return (get "g") (f32.const nan:arithmetic))
(assert_return (invoke "swap" (f32.const nan:canonical) (f64.const 1) (i32.const 1)) (f64.const 1) (f32.const nan))
(assert_return (invoke "swap" (f32.const 1e39) (f64.const 1) (i32.const 1)) (f64.const 1) (f32.const inf))
(assert_return (invoke "swap" (f32.const 0) (f64.const 1) (i32.const 1)) (f64.const 1) (f32.const -0))
(assert_return (invoke "swap" (f64.const 0) (f32.const 1) (i32.const 1)) (f64.const 1) (f32.const 0))
(assert_trap (invoke "stop"))
(assert_trap (invoke "stop") "the guest")
(assert_trap (invoke "stop") "func")
(assert_trap (invoke "stop" (i32.const 1)) "unreachable")
(assert_trap (invoke "nop") "")
(assert_trap (module instance $m) "")
(assert_exhaustion (invoke "stop") "")
(assert_exception (invoke "stop"))
(assert_invalid (module (func (result i32))))
(assert_invalid (modul) "")
(assert_malformed (module binary junk) "")
(assert_malformed (module binary "\\zz") "")
(assert_malformed (module quote "\\u{d800}") "")
(assert_malformed (module quote "\\u{110000}") "")
(assert_malformed (module quote "(func") "line 1")
(assert_malformed (module quote "(func) \\u{7f}") "unexpected token")
(assert_malformed (module binary "\\00asm\\01\\00\\00\\00\\01\\05") "types")
(component quote "\\u{d800}")
(invoke "\\ff")
(invoke 7)
(invoke "nop" junk)
(register "x" $m $m)
(module instance $a $m $m)
(thread $t (assert_return (invoke $nobody "five")))
()
"""
COMPONENT = (
    '(component $c (core module $m (memory (export "mem") 1)'
    " (global $next (mut i32) (i32.const 64))"
    ' (func (export "realloc") (param i32 i32 i32 i32) (result i32) (global.get $next)'
    "   (global.set $next (i32.add (global.get $next) (i32.and (i32.add (local.get 3) (i32.const 7)) (i32.const -8)))))"
    ' (func (export "i32") (param i32) (result i32) (local.get 0))'
    ' (func (export "f32") (param f32) (result f32) (local.get 0))'
    ' (func (export "f64") (param f64) (result f64) (local.get 0))'
    ' (func (export "two") (param i32 i32) (result i32)'
    "   (i32.store8 (i32.const 0) (local.get 0)) (i32.store (i32.const 4) (local.get 1)) (i32.const 0))"
    ' (func (export "list") (param i32 i32) (result i32)'
    "   (i32.store (i32.const 0) (local.get 0)) (i32.store (i32.const 4) (local.get 1)) (i32.const 0))"
    ' (func (export "take") (param i32)) (func (export "zero") (result i32) (i32.const 0)))'
    ' (core instance $i (instantiate $m)) (alias core export $i "mem" (core memory $mem))'
    ' (core func $realloc (alias core export $i "realloc"))'
    ' (type $r (record (field "a" u8) (field "b" u32))) (export $r2 "r" (type $r))'
    ' (type $v (variant (case "n") (case "x" u32))) (export $v2 "v" (type $v))'
    ' (type $e (enum "p" "q")) (export $e2 "e" (type $e)) (type $f (flags "r" "w")) (export $f2 "fl" (type $f))'
    + "".join(
        f' (func (export "{name}") (param "x" {type}) (result {type}) (canon lift (core func $i "{core}")'
        " (memory $mem) (realloc (core func $realloc))))"
        for name, type, core in (
            ("u8", "u8", "i32"),
            ("s8", "s8", "i32"),
            ("bool", "bool", "i32"),
            ("char", "char", "i32"),
            ("f32", "f32", "f32"),
            ("f64", "f64", "f64"),
            ("enum", "$e2", "i32"),
            ("flags", "$f2", "i32"),
            ("tuple", "(tuple u8 u32)", "two"),
            ("record", "$r2", "two"),
            ("variant", "$v2", "two"),
            ("option", "(option u32)", "two"),
            ("string", "string", "list"),
            ("map", "(map string u32)", "list"),
            ("lists", "(list (list u8 2))", "list"),
        )
    )
    + ' (func (export "take") (param "x" u8) (canon lift (core func $i "take")))'
    ' (func (export "done") (result (result)) (canon lift (core func $i "zero"))))'
)
RIGHT_COMPONENT = """
(assert_return (invoke $c "u8" (u8.const 007)) (u8.const 0x7))
(assert_return (invoke "s8" (s8.const -0x80)) (s8.const -128))
(assert_return (invoke "f32" (f32.const 0x1.00000100000000001p0)) (f32.const 0x1.000002p0))
(assert_return (invoke "f32" (f32.const nan:0x1)) (f32.const nan:canonical))
(assert_return (invoke "f64" (f64.const -nan)) (f64.const nan:arithmetic))
(assert_return (invoke "f64" (f64.const nan)) (f64.const nan))
(assert_return (invoke "char" (char.const "\\u{10_ffff}")) (char.const "\\u{10ffff}"))
(assert_return (invoke "enum" (enum.const "q")) (enum.const "q"))
(assert_return (invoke "flags" (flags.const "w" "r")) (flags.const "r" "w"))
(assert_return (invoke "option" (option.none)) (option.none))
(assert_return (invoke "map" (map.const (tuple.const (str.const "a") (u32.const 1))))
  (map.const (tuple.const (str.const "a") (u32.const 1))))
(assert_return (invoke "lists" (list.const (list.const (u8.const 1) (u8.const 2))))
  (list.const (list.const (u8.const 1) (u8.const 2))))
(assert_return (invoke "take" (u8.const 1)))
(assert_return (invoke "done") (result.ok))
"""
WRONG_COMPONENT = """
(assert_return (invoke "u8" (u8.const 1) (u8.const 2)) (u8.const 1))
(assert_return (invoke "u8") (u8.const 1))
(assert_return (invoke "u8" (u8.const 1)) (u8.const 1) (u8.const 9))
(assert_return (invoke "u8" (u8.const 1)))
(assert_return (invoke "done"))
(assert_return (invoke "take" (u8.const 1)) (u8.const 1))
(assert_return (invoke "u8" (s64.const 1)) (u8.const 1))
(assert_return (invoke "u8" (u8.const 1)) (s64.const 1))
(assert_return (invoke "u8" (u8.const 1 junk)) (u8.const 1))
(assert_return (invoke "u8" (u8.const 257)) (u8.const 1))
(assert_return (invoke "u8" (u8.const -0x1)) (u8.const 255))
(assert_return (invoke "s8" (s8.const 1)) (s8.const 257))
(assert_return (invoke "u8" (u8.const zz)) (u8.const 1))
(assert_return (invoke "bool" (bool.const false)) (bool.const maybe))
(assert_return (invoke "bool" (bool.const "true")) (bool.const true))
(assert_return (invoke "f64" (f64.const 1)) (str.const "1"))
(assert_return (invoke "f64" (f64.const nan:canonical)) (f64.const nan))
(assert_return (invoke "f64" (f64.const nan:0x200000)) (f64.const nan:0x200000))
(assert_return (invoke "f32" (f32.const nan:0x200000)) (f32.const nan:0x200000))
(assert_return (invoke "f32" (f32.const nan)) (f32.const -nan))
(assert_return (invoke "char" (char.const "ab")) (char.const "a"))
(assert_return (invoke "char" (char.const a)) (char.const "a"))
(assert_return (invoke "string" (str.const "\\u{d800}")) (str.const ""))
(assert_return (invoke "string" (str.const "\\ff")) (str.const ""))
(assert_return (invoke "enum" (enum.const "zz")) (enum.const "p"))
(assert_return (invoke "enum" (enum.const p)) (enum.const "p"))
(assert_return (invoke "flags" (flags.const "r")) (flags.const "r" "r"))
(assert_return (invoke "flags" (flags.const "r")) (flags.const "r" "zz"))
(assert_return (invoke "tuple" (tuple.const (u8.const 1) (u32.const 2) (u8.const 9)))
  (tuple.const (u8.const 1) (u32.const 2)))
(assert_return (invoke "tuple" (tuple.const (u8.const 1) (u32.const 2)))
  (tuple.const (u8.const 1) (u32.const 2) (u8.const 9)))
(assert_return (invoke "tuple" (tuple.const (u8.const 1) (u32.const 2))) (list.const (u8.const 1) (u32.const 2)))
(assert_return (invoke "tuple" (tuple.const u8.const 1)) (tuple.const (u8.const 1) (u32.const 2)))
(assert_return (invoke "record" (record.const (field "a" u8.const 1) (field "b" u32.const 2) (field "a" u8.const 1)))
  (record.const (field "a" u8.const 1) (field "b" u32.const 2)))
(assert_return (invoke "record" (record.const (field "a" u8.const 1))) (record.const (field "a" u8.const 1)))
(assert_return (invoke "record" (record.const (field "a" u8.const 1) (field "c" u32.const 2))) (record.const))
(assert_return (invoke "record" (record.const (field "a") (field "b" u32.const 2))) (record.const))
(assert_return (invoke "variant" (variant.const "n")) (variant.const "n" (u8.const 4)))
(assert_return (invoke "variant" (variant.const "x")) (variant.const "x"))
(assert_return (invoke "variant" (variant.const "zz")) (variant.const "n"))
(assert_return (invoke "variant" (variant.const)) (variant.const "n"))
(assert_return (invoke "option" (option.none)) (option.none (u32.const 1)))
(assert_return (invoke "option" (option.some)) (option.none))
(assert_return (invoke "done") (option.none))
(assert_return (invoke "done") (result.ok (u8.const 3)))
(assert_return (invoke "lists" (list.const (list.const (u8.const 1)))) (list.const))
(assert_return (invoke "lists" (list.const)) (list.const (list.const (u8.const 1) (u8.const 2))))
(assert_return (invoke "map" (map.const (str.const "a") (u32.const 1))) (map.const))
(assert_return (invoke "map" (map.const)) (map.const (tuple.const (str.const "a") (u32.const 1))))
(assert_return (get "u8") (u8.const 1))
(assert_trap (invoke "u8" (u8.const junk)) "")
(assert_invalid (component (bogus)))
"""


VECTORS = (
    '(module $v (func (export "swap") (param v128 i32 v128) (result v128 i32) local.get 2 local.get 1)'
    ' (func (export "four") (result v128) (v128.const f32x4 nan 1 -0 nan:0x600000))'
    ' (global (export "g") v128 (v128.const i64x2 -1 2)))'
)
RIGHT_VECTORS = """
(assert_return
  (invoke "swap" (v128.const i32x4 0 0 0 0) (i32.const 7) (v128.const i8x16 0 1 2 3 4 5 6 7 8 9 0 0 0 0 0 255))
  (v128.const i8x16 0 1 2 3 4 5 6 7 8 9 0 0 0 0 0 -1) (i32.const 7))
(assert_return (invoke "swap" (v128.const i32x4 0 0 0 0) (i32.const 7) (v128.const i64x2 1 0x8000000000000000))
  (v128.const i32x4 1 0 0 0x80000000) (i32.const 7))
(assert_return (invoke "four") (v128.const f32x4 nan:canonical 1 -0 nan:arithmetic))
(assert_return (invoke "four") (either (v128.const i64x2 0 0) (v128.const f32x4 nan 1 -0 nan:0x600000)))
(assert_return (get "g") (v128.const i64x2 -1 2))
"""
WRONG_VECTORS = """
(assert_return (invoke "four") (v128.const f32x4 nan:canonical 1 -0 nan:canonical))
(assert_return (invoke "four") (v128.const f32x4 nan:canonical 1 0 nan:arithmetic))
(assert_return (invoke "four") (v128.const f32x4 nan 1 0))
(assert_return (invoke "four") (v128.const f32x5 nan 1 0 0 0))
(assert_return (invoke "four") (v128.const 0 0 0 0))
(assert_return (invoke "four") (i32.const 0))
(assert_return (get "g") (v128.const i64x2 2 -1))
(assert_return (get "g") (v128.const i8x16 256 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0))
(assert_return (invoke "swap" (v128.const f32x4 nan:canonical 0 0 0) (i32.const 7) (v128.const i64x2 1 0))
  (v128.const i64x2 1 0) (i32.const 7))
"""


def starts(text: str) -> list[int]:
    """The lines at which directives start."""
    return [number for number, line in enumerate(text.split("\n"), 1) if line.startswith("(")]


@pytest.mark.parametrize(
    ("definition", "right", "wrong"),
    [
        (CORE, RIGHT_CORE, WRONG_CORE),
        (VECTORS, RIGHT_VECTORS, WRONG_VECTORS),
        (COMPONENT, RIGHT_COMPONENT, WRONG_COMPONENT),
    ],
    ids=["core", "vectors", "component"],
)
def test_right_ones_pass_and_wrong_ones_fail(
    tmp_path: Path, engine: Engine, definition: str, right: str, wrong: str
) -> None:
    path = tmp_path / "case.wast"
    path.write_text(definition + right)
    result = run(path, Options(engine.name))
    assert (result.failed, result.skipped) == ([], [])
    assert result.passed == len(starts(definition + right)) - (definition == CORE)

    path.write_text(definition + wrong)
    result = run(path, Options(engine.name))
    assert [name for name, _ in result.failed] == [f"case.wast:{line}" for line in starts(wrong) if line > 1]
    assert (result.passed, result.skipped) == (1, [])
    assert not [reason for _, reason in result.failed if "crashed" in reason]


def test_the_name_of_a_function_is_no_reason(tmp_path: Path, engine: Engine) -> None:
    path = tmp_path / "case.wast"
    path.write_text("""(component
      (core module $m (func (export "f") (result i32) (i32.const 0xd800)))
      (core instance $i (instantiate $m))
      (func (export "unreachable") (result char) (canon lift (core func $i "f"))))
    (assert_trap (invoke "unreachable") "unreachable")
    """)
    result = run(path, Options(engine.name))
    assert (result.passed, len(result.failed), result.skipped) == (1, 1, [])


def test_a_malformed_value_says_where_it_is(tmp_path: Path, engine: Engine) -> None:
    path = tmp_path / "case.wast"
    path.write_text(CORE + '\n(assert_return\n  (invoke "five")\n  (i32.const five))')
    result = run(path, Options(engine.name))
    assert result.failed == [("case.wast:2", "malformed, line 4: `five` is not an integer")]


def test_what_an_import_names_has_to_be_there(tmp_path: Path, engine: Engine) -> None:
    """Only a component may be open to the embedder; core scripts and the hosts have nothing else."""
    path = tmp_path / "case.wast"
    path.write_text(
        """(module (import "nobody" "f" (func)))
(module (import "spectest" "nothing" (func)))
(component (import "host" (instance (export "nothing" (func)))))
(component (import "host-return-two" (func (result string))))
(component (import "nobody" (func)))"""
    )
    result = run(path, Options(engine.name))
    assert [name for name, _ in result.failed] == [f"case.wast:{line}" for line in (1, 2, 3, 4)]
    assert (result.passed, result.skipped) == (1, [])


def test_functions_are_called_by_their_whole_name(tmp_path: Path, engine: Engine) -> None:
    path = tmp_path / "case.wast"
    path.write_text(
        """(component (core module $m (func (export "f") (result i32) (i32.const 1)))
  (core instance $i (instantiate $m))
  (func $f (result u32) (canon lift (core func $i "f"))) (instance $x (export "f-g" (func $f)))
  (export "my:pkg/iface@1.0.0" (instance $x)))
(assert_return (invoke "my:pkg/iface@1.0.0#f-g") (u32.const 1))
(assert_return (invoke "my:pkg/iface#f-g") (u32.const 1))
(assert_return (invoke "iface#f_g") (u32.const 1))"""
    )
    result = run(path, Options(engine.name))
    assert [name for name, _ in result.failed] == ["case.wast:6", "case.wast:7"]
    assert result.passed == 2


def test_a_module_is_the_definition_of_more_instances(tmp_path: Path, engine: Engine) -> None:
    path = tmp_path / "case.wast"
    path.write_text(
        """(module $m (global $g (mut i32) (i32.const 0))
  (func (export "next") (result i32) (global.set $g (i32.add (global.get $g) (i32.const 1))) (global.get $g)))
(module instance $n $m)
(assert_return (invoke $m "next") (i32.const 1))
(assert_return (invoke $m "next") (i32.const 2))
(assert_return (invoke $n "next") (i32.const 1))
(component instance $c $m)"""
    )
    result = run(path, Options(engine.name))
    assert [name for name, _ in result.failed] == ["case.wast:7"]
    assert result.passed == 5


def test_nothing_waits_for_a_thread_that_did_not_run(tmp_path: Path, engine: Engine) -> None:
    path = tmp_path / "case.wast"
    path.write_text("(thread $t (shared (module $m)) (invoke $nobody 7))\n(wait $t)\n(wait $u)")
    result = run(path, Options(engine.name))
    assert [name for name, _ in result.skipped] == ["case.wast:1", "case.wast:2"]
    assert [name for name, _ in result.failed] == ["case.wast:3"]


def test_text_that_can_not_be_read_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "case.wast").write_text('(component (nonsense))\n(assert_return (invoke "f"))\n(component)')
    assert main([str(tmp_path)]) == 0
    *_, count, total = capsys.readouterr().out.splitlines()
    assert count == "1 of those skipped have text that the text parser does not take, new or mistaken"
    assert total == "1 passed, 0 failed, 2 skipped"


def test_an_unknown_engine_is_told_as_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "case.wast").touch()
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path), "--engine", "steam"])
    assert ended.value.code == 2
    assert "no engine is named 'steam'" in capsys.readouterr().err
