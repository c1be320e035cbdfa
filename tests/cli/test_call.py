"""`wippywasm call`: answers, the functions' own errors, failures, and wrong uses. Spec: SPEC section 13."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run, Write

APP = """
namespace: t
entries:
  - name: add
    kind: function.wat
    source: &numbers |
      (module
        (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
        (func (export "half") (param f64) (result f64) (f64.div (local.get 0) (f64.const 2)))
        (func (export "big") (result i64) (i64.const -1))
        (func (export "crash") unreachable)
        (func (export "loop") (call 4)))
    wit: "add: func(left: s32, right: s32) -> s32;"
    method: add
  - {name: half, kind: function.wat, source: *numbers, wit: "half: func(x: f64) -> f64;", method: half}
  - {name: big, kind: function.wat, source: *numbers, wit: "big: func() -> u64;", method: big}
  - {name: crash, kind: function.wat, source: *numbers, method: crash, pool: {type: static, workers: 1}}
  - {name: deep, kind: function.wat, source: *numbers, method: loop}
  - name: check
    kind: function.wat
    wit: "check: func(n: u32) -> result<u32, u32>;"
    method: check
    source: |
      (module
        (memory (export "memory") 1)
        (func (export "check") (param i32) (result i32)
          (i32.store8 (i32.const 0) (i32.gt_u (local.get 0) (i32.const 9)))
          (i32.store (i32.const 4) (local.get 0))
          (i32.const 0)))
  - name: users
    kind: function.wat
    method: count
    wit: |
      package t:t;
      world w {
        record user { id: u32, tags: list<string> }
        export count: func(users: list<user>) -> u32;
      }
    source: |
      (module
        (memory (export "memory") 1)
        (func (export "count") (param i32 i32) (result i32) (local.get 1))
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64)))
  - name: start
    kind: function.wat
    method: f
    source: (module (func $s unreachable) (start $s) (func (export "f")))
  - name: denied
    kind: function.wat
    method: f
    source: &denied |
      (component
        (import "wasi:clocks/monotonic-clock@0.2.0" (instance $c (export "now" (func (result u64)))))
        (alias export $c "now" (func $now))
        (core func $lowered (canon lower (func $now)))
        (core module $m (import "" "now" (func $now (result i64))) (func (export "f") (drop (call $now))))
        (core instance $i (instantiate $m (with "" (instance (export "now" (func $lowered))))))
        (func (export "f") (canon lift (core func $i "f"))))
  - {name: declared, kind: function.wat, method: f, source: *denied, imports: ["wasi:clocks"],
     limits: {max_execution_ms: 1000}}
  - {name: data, kind: registry.entry, value: 5}
  - name: lua
    kind: function.lua
    modules: [funcs]
    method: main
    source: |
      local funcs = require("funcs")
      local function main(what, ...)
        if what == "call" then return funcs.call(...) end
        if what == "fail" then error("on purpose") end
        if what == "err" then return nil, {code = 7} end
        if what == "print" then print("printed") end
        return {what = what, args = {...}}
      end
      return {main = main}
"""


LINE = next(number for number, line in enumerate(APP.splitlines(), 1) if "on purpose" in line)


@pytest.fixture
def app(write_app: Write) -> Path:
    return write_app({"_index.yaml": APP})


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (["t:add", "40", "2"], 42),
        (["t:add", "-5", "3"], -2),
        (["t:half", "-3"], -1.5),
        (["t:half", '"inf"'], "inf"),
        (["t:half", "1e3"], 500.0),
        (["t:big"], 2**64 - 1),
        (["t:check", "9"], 9),
        (["t:declared"], None),
        (["t:users", '[{"id":1,"tags":["a"]},{"id":2,"tags":[]}]'], 2),
        (["t:lua", '"x"', "1", "[true,null]", '{"a":1.5}'], {"what": "x", "args": [1, [True, None], {"a": 1.5}]}),
        (["t:lua", '"call"', '"t:add"', "1", "2"], 3),
    ],
)
def test_answers(arguments: list[str], answer: object, app: Path, run: Run) -> None:
    ran = run("-C", app, "call", *arguments)
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out) == answer
    assert ran.out.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "err"),
    [
        (["t:check", "10"], "10\n"),
        (["t:lua", '"err"'], '{"code":7}\n'),
        (["t:lua", '"call"', '"t:check"', "10"], "10\n"),
    ],
)
def test_the_functions_own_error(arguments: list[str], err: str, app: Path, run: Run) -> None:
    ran = run("-C", app, "call", *arguments)
    assert (ran.code, ran.out, ran.err) == (1, "", err)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["t:crash"], ["error: t:crash: the guest trapped: unreachable"]),
        (["t:deep"], ["stack"]),
        (["t:start"], ["unreachable"]),
        (["t:denied"], ["wasi:clocks/monotonic-clock@0.2.0#now", "declare 'wasi:clocks' under `imports`"]),
        (["t:lua", '"fail"'], [f"_index.yaml:{LINE}: on purpose"]),
        (["t:lua", '"call"', '"t:crash"'], ["error: t:crash: the guest trapped: unreachable"]),
        (["t:lua", '"call"', '"t:nope"'], ["there is no entry 't:nope'"]),
        (["t:lua", '"call"', '"t:users"', '[{"id":1,"tags":5}]'], ["users[1].tags: expected list<string>, got 5"]),
    ],
)
def test_failures(arguments: list[str], words: list[str], app: Path, run: Run) -> None:
    ran = run("-C", app, "call", *arguments)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("error: ")
    assert len(ran.err) < 4000
    for word in words:
        assert word in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["t:ad"], ["there is no entry 't:ad'", "did you mean 't:add'?"]),
        (["u:add"], ["there is no entry 'u:add'", "did you mean 't:add'?"]),
        (["add"], ["'add' has no namespace", "an id has its namespace in front: 't:add'"]),
        (["t:data"], ["'t:data' is a registry.entry, not a function"]),
        (["t:add", "1"], ["t:add takes 2 arguments, got 1", "func(left: s32, right: s32) -> s32"]),
        (["t:add", "1", "2", "3"], ["t:add takes 2 arguments, got 3"]),
        (["t:add", "1", "x"], ["argument 2 is not JSON", "t:add is func(left: s32, right: s32) -> s32"]),
        (["t:add", "1", '"2"'], ['right: expected s32, got "2"', "t:add is func(left: s32, right: s32) -> s32"]),
        (["t:add", "1", "2147483648"], ["right: expected s32 (-2147483648 to 2147483647), got 2147483648"]),
        (["t:users", '[{"id":1,"tags":[]},{"id":2,"tags":[1]}]'], ["users[1].tags[0]: expected string, got 1"]),
        (["t:users", '[{"id":1}]'], ["users[0].tags: expected list<string>, got nothing"]),
        (["t:users", "[" * 100_000], ["nested deeper than 128 levels"]),
        (["t:lua", "{"], ["argument 1 is not JSON"]),
    ],
)
def test_wrong_uses(arguments: list[str], words: list[str], app: Path, run: Run) -> None:
    ran = run("-C", app, "call", *arguments)
    assert (ran.code, ran.out) == (2, "")
    for word in words:
        assert word in ran.err
    assert "Traceback" not in ran.err


def test_errors_as_json(app: Path, run: Run) -> None:
    ran = run("-C", app, "call", "t:crash", "--json")
    error = json.loads(ran.err)["error"]
    assert (ran.code, error["kind"], error["details"]["code"]) == (1, "INTERNAL", "unreachable")
    ran = run("--json", "-C", app, "call", "t:ad")
    assert json.loads(ran.err)["error"]["hint"] == "did you mean 't:add'?"


def test_two_v_show_the_python_traceback(app: Path, run: Run) -> None:
    assert "Traceback" in run("-v", "-v", "-C", app, "call", "t:crash").err
    assert "Traceback" not in run("-v", "-C", app, "call", "t:crash").err


def test_print_goes_before_the_result(app: Path, run: Run) -> None:
    ran = run("-C", app, "call", "t:lua", '"print"')
    assert ran.out == 'printed\n{"args":[],"what":"print"}\n'


def test_overrides(app: Path, run: Run) -> None:
    ran = run("-C", app, "call", "t:lua", '"x"', "-o", "t:lua:source=return {main = function() return 'other' end}")
    assert (ran.code, ran.out) == (0, '"other"\n')
    ran = run("-C", app, "call", "t:add", "1", "2", "-o", "t:add:pool.max_size=0", "-o", "t:nope:x=1", "-o", "broken")
    assert ran.code == 2
    assert "error: -o t:add:pool.max_size=0: entry 't:add', field 'pool.max_size': expected a whole number" in ran.err
    assert "error: -o t:nope:x=1: there is no entry 't:nope'" in ran.err
    assert "error: -o broken: an override is written namespace:name:field=value" in ran.err


def test_lint_has_nothing_to_say_of_limits(app: Path, run: Run) -> None:
    ran = run("lint", app)
    assert (ran.code, ran.out, ran.err) == (0, f"12 entries in {app}: no problems\n", "")


WAVE_APP = """
namespace: w
entries:
  - name: total
    kind: function.wat
    method: total
    wit: |
      record item { name: string, count: u32 }
      enum color { red, none }
      total: func(items: list<item>, color: option<color>, scale: f32) -> result<list<u8>, color>
    source: |
      (module
        (memory (export "memory") 1)
        (data (i32.const 32) "AB")
        (func (export "total") (param i32 i32 i32 i32 f32) (result i32)
          (i32.store8 (i32.const 0) (i32.eqz (local.get 1)))
          (if (i32.eqz (local.get 1))
            (then (i32.store (i32.const 4) (local.get 3)))
            (else (i32.store (i32.const 4) (i32.const 32)) (i32.store (i32.const 8) (i32.const 2))))
          (i32.const 0))
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64)))
  - name: nothing
    kind: function.wat
    method: nothing
    source: (module (func (export "nothing")))
  - {name: lua, kind: function.lua, method: f, source: "return {f = function(x) return x end}"}
"""


@pytest.fixture
def wave_app(write_app: Write) -> Path:
    return write_app({"_index.yaml": WAVE_APP})


@pytest.mark.parametrize(
    ("arguments", "out"),
    [
        (['w:total([{name: "a", count: 1}], %none, 1.5)'], "[65,66]\n"),
        (["w:total", '[{"name":"a","count":1}]', "null", "1"], "[65,66]\n"),
        (["w:total", '[{name: "a", count: 1}]', "some(red)", "nan", "--wave"], "[65, 66]\n"),
        (["w:nothing()"], "null\n"),
        (["w:nothing", "--wave"], "()\n"),
    ],
)
def test_arguments_and_answers_as_wave(arguments: list[str], out: str, wave_app: Path, run: Run) -> None:
    ran = run("-C", wave_app, "call", *arguments)
    assert (ran.code, ran.out, ran.err) == (0, out, "")


@pytest.mark.parametrize(
    ("arguments", "err"),
    [
        (["w:total([], %none, 1)", "--wave"], "%none\n"),
        (["w:total", "[]", "red", "1"], '"red"\n'),
    ],
)
def test_the_functions_own_error_as_wave(arguments: list[str], err: str, wave_app: Path, run: Run) -> None:
    ran = run("-C", wave_app, "call", *arguments)
    assert (ran.code, ran.out, ran.err) == (1, "", err)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["w:total", "[{name: 5}]", "none", "1"], ["nor WAVE: items[0].name, character 9: expected string, got 5"]),
        (["w:total", '[{"name": 5, "count": 1}]', "none", "1"], ["items[0].name: expected string, got 5"]),
        (["w:total([], none)"], ["scale is missing: the function is func(items: "]),
        (["w:total([], none, 1)", "2"], ["is a whole call: it takes no further arguments"]),
        (["w:lua(1)"], ["w:lua is a Lua function"]),
        (["w:lua", "1", "--wave"], ["w:lua is a Lua function"]),
        (["w:totl()"], ["there is no entry 'w:totl'", "did you mean 'w:total'?"]),
    ],
)
def test_wrong_uses_of_wave(arguments: list[str], words: list[str], wave_app: Path, run: Run) -> None:
    ran = run("-C", wave_app, "call", *arguments)
    assert (ran.code, ran.out) == (2, "")
    for word in words:
        assert word in ran.err
