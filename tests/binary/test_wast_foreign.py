"""Files as other projects write them: their hosts, their heads, their directives."""

from __future__ import annotations

from pathlib import Path

import pytest

from spec_tests import FileResult, Options
from spec_tests.wast import run
from spec_tests.wast_directives import Define, Thread, directives
from spec_tests.wast_features import ALWAYS, GC, features_of
from wippywasm.binary import features as gates
from wippywasm.engine.port import Engine

LOWERED = """
  (alias export $h "resource1" (type $r))
  (core func $drop (canon resource.drop $r))
  (core func $new (canon lower (func $h "[constructor]resource1")))
  (core func $simple (canon lower (func $h "[method]resource1.simple")))
  (core module $m
    (import "" "drop" (func $drop (param i32)))
    (import "" "new" (func $new (param i32) (result i32)))
    (import "" "simple" (func $simple (param i32 i32)))
    (func (export "run") (param i32) (local $r i32)
      (local.set $r (call $new (i32.const 7)))
      (call $simple (local.get $r) (local.get 0))
      (call $drop (local.get $r))))
  (core instance $i (instantiate $m (with "" (instance
    (export "drop" (func $drop)) (export "new" (func $new)) (export "simple" (func $simple))))))
  (func (export "run") (param "rep" u32) (canon lift (core func $i "run")))
  (export "drops" (func $h "[static]resource1.drops"))
"""
HOSTS = f"""
(component
  (import "host-return-two" (func $two (result u32)))
  (import "host" (instance $h
    (export "return-three" (func (result u32)))
    (export "nested" (instance (export "return-four" (func (result u32)))))))
  (alias export $h "nested" (instance $n))
  (export "two" (func $two))
  (export "three" (func $h "return-three"))
  (export "four" (func $n "return-four")))
(assert_return (invoke "two") (u32.const 2))
(assert_return (invoke "three") (u32.const 3))
(assert_return (invoke "four") (u32.const 4))
(assert_unlinkable (component (import "host" (instance (export "return-three" (func (result string))))))
  "instance export `return-three` has the wrong type")
(assert_unlinkable (component (import "host" (instance (export "return-five" (func)))))
  "function implementation is missing")
(assert_unlinkable (component (import "nobody" (func)))
  "component imports function `nobody`, but a matching implementation was not found in the linker")
(component (import "host" (instance $h
    (export "resource1" (type $r (sub resource)))
    (export "[constructor]resource1" (func (param "rep" u32) (result (own $r))))
    (export "[static]resource1.drops" (func (result u32)))
    (export "[method]resource1.simple" (func (param "self" (borrow $r)) (param "rep" u32)))))
  {LOWERED})
(assert_return (invoke "drops") (u32.const 0))
(assert_return (invoke "run" (u32.const 7)))
(assert_return (invoke "drops") (u32.const 1))
(assert_trap (invoke "run" (u32.const 8)) "wasm trap: wasm `unreachable` instruction executed")
"""
NAMED = """
(component $a (core module (export "m") (func (export "f") (result i32) (i32.const 5))))
(component (import "a" (instance $a (export "m" (core module $m (export "f" (func (result i32)))))))
  (alias export $a "m" (core module $m))
  (core instance $i (instantiate $m))
  (func (export "f") (result u32) (canon lift (core func $i "f"))))
(assert_return (invoke "f") (u32.const 5))
(component definition $d (component $inner))
(component instance $one $d)
(component instance $two $d)
(assert_malformed (component quote "(import" ") (") "expected")
"""
CORE = """
(module $m
  (import "spectest" "global_i32" (global $g i32))
  (import "spectest" "print_i32" (func $print (param i32)))
  (import "spectest" "memory" (memory 1))
  (func (export "g") (result i32) (call $print (global.get $g)) (global.get $g))
  (func (export "nan") (result f32) (f32.const nan:0x600000)))
(assert_return (invoke "g") (either (i32.const 1) (i32.const 666)))
(assert_return (invoke "nan") (f32.const nan:arithmetic))
(module definition $d (func (export "f") (result i32) (i32.const 9)))
(module instance $i $d)
(assert_return (invoke $i "f") (i32.const 9))
(module (import "i" "f" (func $f (result i32))) (export "f" (func $f)))
(assert_return (invoke "f") (i32.const 9))
(assert_unlinkable (module (import "spectest" "nothing" (func))) "unknown import")
(assert_unlinkable (module (import "spectest" "print_i32" (func (param f32)))) "incompatible import type")
(thread $t (module (func (export "f") (result i32) (i32.const 1))) (assert_return (invoke "f") (i32.const 1)))
(wait $t)
(assert_malformed_custom (module quote "(@custom \\"\\")" "(func $)") "")
"""


def run_text(tmp_path: Path, text: str, engine: Engine) -> FileResult:
    path = tmp_path / "case.wast"
    path.write_text(text)
    return run(path, Options(engine.name))


@pytest.mark.parametrize("text", [HOSTS, NAMED, CORE], ids=["hosts", "named", "core"])
def test_all_holds(tmp_path: Path, engine: Engine, text: str) -> None:
    result = run_text(tmp_path, text, engine)
    assert (result.failed, result.skipped) == ([], [])
    assert result.passed == len(directives(text))


def test_wrong_expectations_fail(tmp_path: Path, engine: Engine) -> None:
    text = """
    (component (import "host-return-two" (func $f (result u32))) (export "f" (func $f)))
    (assert_return (invoke "f") (u32.const 3))
    (module (func (export "f") (result i32) (i32.const 2)) (func (export "g") unreachable))
    (assert_return (invoke "f") (either (i32.const 1) (i32.const 3)))
    (assert_return (invoke "f"))
    (assert_exception (invoke "g"))
    (wait $nobody)
    (thread $t (module (func (export "f") unreachable)) (invoke "f"))
    (assert_unlinkable (component (import "host-return-two" (func (result u32)))) "anything")
    """
    assert len(run_text(tmp_path, text, engine).failed) == 7


def test_an_instance_with_one_name(tmp_path: Path, engine: Engine) -> None:
    """It is the instance's, of the last definition."""
    text = """
    (module definition $A (func (export "f") (result i32) (i32.const 1)))
    (module definition $B (func (export "f") (result i32) (i32.const 2)))
    (module instance $x)
    (module instance $y $A)
    (assert_return (invoke $x "f") (i32.const 2))
    (assert_return (invoke $y "f") (i32.const 1))
    """
    result = run_text(tmp_path, text, engine)
    assert (result.passed, result.failed, result.skipped) == (6, [], [])


def test_what_is_no_directive_fails(tmp_path: Path, engine: Engine) -> None:
    result = run_text(tmp_path, '(component $a)\n(asert_return (invoke "f"))', engine)
    assert result.passed == 1
    assert "there is no such directive" in result.failed[0][1]


def test_a_known_failure_is_known_by_how_it_fails(tmp_path: Path, engine: Engine) -> None:
    """Anything else at its line is a failure."""
    folder = tmp_path / "async"
    folder.mkdir()
    path = folder / "trap-on-reenter.wast"
    path.write_text("\n" * 85 + '(component $a)(invoke "nope")')
    assert len(run(path, Options(engine.name)).failed) == 1


def test_what_nothing_provides_is_only_checked(tmp_path: Path, engine: Engine) -> None:
    text = """
    (component (import "x" (func $f)) (export "y" (func $f)))
    (invoke "y")
    (component $a)
    (component (import "a" (instance (export "f" (func)))))
    """
    result = run_text(tmp_path, text, engine)
    assert result.passed == 2
    assert "nothing in the file provides its import 'x'" in result.skipped[0][1]
    assert len(result.skipped) == len(result.failed) == 1
    assert result.validated == [("case.wast:2", "nothing in the file provides its import 'x'")]


def test_what_does_not_run_here_is_skipped(tmp_path: Path, engine: Engine) -> None:
    text = """
    (component (import "host" (instance (export "never-return" (func async)))))
    (assert_invalid (component (import "a" (component))) "root-level component imports are not supported")
    (assert_invalid_custom (module quote "(func)") "malformed")
    (module $m (memory (export "m") 1))
    (thread $t (shared (module $m)) (register "m" $m))
    (module (func (export "f") (param externref)))
    (invoke "f" (ref.extern 1))
    """
    result = run_text(tmp_path, text, engine)
    assert (result.failed, len(result.skipped), result.passed) == ([], 5, 2)


def test_few_words_are_no_limit_of_others(tmp_path: Path, engine: Engine) -> None:
    """They may be those of a rule, and what is refused as they say passes anyway."""
    text = """
    (assert_invalid (component (import "a" (component))) "component imports")
    (assert_invalid (component (import "a" (component))) "support is not enabled")
    (assert_invalid (component (type (tuple))) "tuple type must have at least one type")
    (assert_malformed (component binary "\\00asm\\0d\\00\\01\\00\\0c\\01\\00") "effective type size exceeds the limit")
    """
    result = run_text(tmp_path, text, engine)
    assert [reason for _, reason in result.failed] == [
        "accepted, but expected: component imports",
        "accepted, but expected: support is not enabled",
    ]
    assert (len(result.skipped), result.passed) == (1, 1)


def test_references(tmp_path: Path, engine: Engine) -> None:
    text = """
    (module
      (func (export "null") (result externref) (ref.null extern))
      (func $f (export "func") (result funcref) (ref.func $f))
      (func (export "same") (param externref) (result externref) (local.get 0))
      (elem declare func $f))
    (assert_return (invoke "null") (ref.null extern))
    (assert_return (invoke "null") (ref.null))
    (assert_return (invoke "func") (ref.func))
    (assert_return (invoke "same" (ref.null extern)) (ref.null extern))
    (assert_return (invoke "null") (ref.extern))
    (assert_return (invoke "null") (ref.null func))
    (assert_return (invoke "null") (ref.func))
    (assert_return (invoke "null"))
    (assert_return (invoke "func") (ref.null))
    (assert_return (invoke "same" (ref.null func)) (ref.null extern))
    """
    result = run_text(tmp_path, text, engine)
    if engine.name == "wasmer":
        assert [reason[:30] for _, reason in result.skipped] == ["this module needs references b"] * 10
    else:
        assert (result.passed, result.skipped) == (5, [])
        assert [name for name, _ in result.failed] == [f"case.wast:{line}" for line in range(11, 17)]


def test_a_file_of_fields_is_one_module() -> None:
    (found,) = directives('(func (export "f")) ;; and\n(memory 1) ;; no more')
    assert isinstance(found, Define)
    assert found.source.text is not None
    assert found.source.text.startswith("(module (func")


def test_names_in_quotes() -> None:
    (thread,) = directives('(thread $"t t" (module $"m"))')
    assert isinstance(thread, Thread)
    assert thread.name == "$t t"


@pytest.mark.parametrize(
    ("head", "on"),
    [
        ("", gates.DEFAULT),
        (";; a comment\n;;! component_model_async = true\n", gates.DEFAULT),
        (";;! component_model_async = true\n;;! gc = true\n", ALWAYS | {gates.ASYNC}),
        (";;! component_model_map=false\n", ALWAYS),
        (";; RUN: wast --assert default --snapshot tests/snapshots %\n", ALWAYS | {gates.ASYNC}),
        (";; RUN: wast % -f cm-map,-cm-async\n", ALWAYS | {gates.MAP}),
        (
            ";; RUN: wast % --features=all,-cm-async\n",
            gates.ALL - {gates.ASYNC} | {*ALWAYS, gates.VALUES, gates.MEMORY64, GC},
        ),
    ],
)
def test_features_of_a_head(head: str, on: set[str]) -> None:
    assert features_of(head + "(component)") == on


def test_features_that_are_off(tmp_path: Path, engine: Engine) -> None:
    refused = '(assert_invalid (component (type (stream u8))) "requires the component model async feature")'
    text = f";;! reference_types = true\n{refused}"
    result = run_text(tmp_path, text, engine)
    assert (result.passed, result.failed) == (1, [])


def test_what_other_validators_have_and_we_have_not(tmp_path: Path, engine: Engine) -> None:
    text = """;; RUN: wast % -f cm64
    (component (core module $m (memory (export "m") i64 1)) (core instance $i (instantiate $m))
      (core func (canon waitable-set.new))
      (core func (canon waitable-set.wait (memory (core memory $i "m")))))
    """
    result = run_text(tmp_path, text, engine)
    if engine.name == "wasmtime":
        assert [reason for _, reason in result.skipped] == ["the feature `memory64` is not supported"]
    assert result.failed == []


APART = """
(component (import "a-b" (func)) (import "ab" (func)))
(component (import "a:b/c-d" (instance)) (import "a:b/cd" (instance)))
(component (import "a-b" (type $r (sub resource))) (import "[static]a-b.AB" (func)))
(component (import "a" (func $f)) (instance (export "b-c" (func $f)) (export "bc" (func $f))))
(component (type (flags "a-1" "a1")))
(component (type (func (param "a-b" u8) (param "A-B1" u8) (param "ab1" u8))))
(component binary "\\00asm\\0d\\00\\01\\00" "\\08\\03\\01\\0c\\01")
"""
ALWAYS_APART = """
(component (import "a:b/c@1.0.0-a-b" (instance)) (import "a:b/c@1.0.0-ab" (instance)))
(component (import "a:b/c@1.0.0-a" (instance)) (import "a:b/c@1.0.0-A" (instance)))
(component (import "url=<https://a-b>" (component)) (import "url=<https://ab>" (component)))
(component (import "a-b" (type $r (sub resource))) (import "[constructor]a-b" (func (result (own $r)))))
"""


def test_what_the_specification_told_apart_before(tmp_path: Path, engine: Engine) -> None:
    old = run_text(tmp_path, APART + ALWAYS_APART, engine)
    assert (old.failed, old.passed) == ([], 11)
    revised = run_text(tmp_path, ";; RUN: wast %" + APART + ALWAYS_APART, engine)
    assert revised.passed == 4
    assert ["conflicts with previous" in why for _, why in revised.failed] == [True] * 6 + [False]
    assert "invalid leading byte (0x1) for a zero byte" in revised.failed[-1][1]


@pytest.mark.parametrize(("head", "failures"), [("", 2), (";;! gc = true", 0), (";; RUN: wast %", 0)])
def test_other_projects_tell_malformed_from_invalid_nowhere(
    tmp_path: Path, engine: Engine, head: str, failures: int
) -> None:
    text = f"""{head}
    (assert_malformed (component (type (list 7))) "type index out of bounds")
    (assert_invalid (component binary "\\00asm\\0d\\00\\01\\00\\40\\00") "malformed section id")
    """
    assert len(run_text(tmp_path, text, engine).failed) == failures


def test_what_a_tool_that_runs_nothing_has_is_only_checked(tmp_path: Path, engine: Engine) -> None:
    text = """;; RUN: wast % -f cm-async
    (component (core func (canon waitable-set.new)))
    (component (core module $m (func $f unreachable) (start $f)) (core instance (instantiate $m)))
    (component $named (import "x" (component)))
    (component (type (list 7)))
    """
    result = run_text(tmp_path, text, engine)
    assert (result.passed, len(result.failed), result.skipped) == (3, 1, [])


def test_a_file_that_has_more_than_fields_is_no_module() -> None:
    assert [type(found).__name__ for found in directives('(func) (assert_return (invoke "f"))')] == [
        "Malformed",
        "AssertReturn",
    ]
