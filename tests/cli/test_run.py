"""`wippywasm run`: commands, their exit codes, and an app that runs until it is told to stop. Spec: SPEC section 13."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Run, Write

APP = """
namespace: t
entries:
  - name: code
    kind: function.lua
    meta: {command: {name: code, short: Ends with a code}}
    method: main
    source: |
      return {main = function(n) return n and tonumber(n) end}
  - name: echo
    kind: function.lua
    meta: {command: {name: echo}}
    method: main
    source: |
      return {main = function(...) return table.concat({...}, "|") end}
  - name: table
    kind: function.lua
    meta: {command: {name: table}}
    method: main
    source: |
      return {main = function(...) print(...) return {...} end}
  - name: fail
    kind: function.lua
    meta: {command: {name: fail}}
    method: main
    source: |
      return {main = function(how)
        if how == "err" then return nil, "no way" end
        error("broken")
      end}
  - name: sum
    kind: function.wat
    meta: {command: {name: sum, short: Adds}}
    method: sum
    wit: "sum: func(a: u32, b: u32) -> u32;"
    source: (module (func (export "sum") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))
"""
PROGRAM = "from wippywasm.cli.main import main; main()"


@pytest.fixture
def app(write_app: Write) -> Path:
    return write_app({"_index.yaml": APP})


def test_the_commands_are_listed(app: Path, run: Run) -> None:
    ran = run("-C", app, "run", "list")
    assert ran.code == 0
    assert [line.split()[0] for line in ran.out.splitlines()] == ["COMMAND", "code", "echo", "fail", "sum", "table"]
    assert "Ends with a code  t:code" in ran.out
    ran = run("--json", "-C", app, "run", "list")
    assert json.loads(ran.out)[0] == {"name": "code", "short": "Ends with a code", "id": "t:code"}


def test_no_commands(write_app: Write, run: Run) -> None:
    app = write_app({"_index.yaml": "namespace: t\nentries: []\n"})
    assert run("-C", app, "run", "list").out.startswith("no commands")


@pytest.mark.parametrize(
    ("arguments", "code", "out"),
    [
        (["code"], 0, ""),
        (["code", "3"], 3, ""),
        (["code", "255"], 255, ""),
        (["echo", "-v", "--json", "-C", "x", "--", "ü"], 0, "-v|--json|-C|x|--|ü\n"),
        (["echo"], 0, "\n"),
        (["table", "a"], 0, 'a\n["a"]\n'),
        (["sum", "4", "5"], 9, ""),
    ],
)
def test_a_command(arguments: list[str], code: int, out: str, app: Path, run: Run) -> None:
    ran = run("-C", app, "run", *arguments)
    assert (ran.code, ran.out, ran.err) == (code, out, "")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["code", "256"], 1, "the command returned 256, which is no exit code"),
        (["fail", "err"], 1, "no way"),
        (["fail"], 1, "broken"),
        (["ekho"], 2, "did you mean 'echo'?"),
        (["zzz"], 2, "the commands are 'code', 'echo', 'fail', 'sum', 'table'"),
        (["sum", "1"], 2, "sum takes 2 arguments, got 1"),
        (["sum", "1", "x"], 2, "b is not JSON"),
        ([".", "x"], 2, "an app takes no arguments"),
    ],
)
def test_what_goes_wrong(arguments: list[str], code: int, words: str, app: Path, run: Run) -> None:
    ran = run("-C", app, "run", *arguments)
    assert (ran.code, ran.out) == (code, "")
    assert words in ran.err
    assert "Traceback" not in ran.err


def test_a_folder_of_a_commands_name_does_not_hide_it(app: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    (app / "echo").mkdir()
    monkeypatch.chdir(app)
    assert run("run", "echo", "hi").out == "hi\n"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_an_app_runs_until_it_is_told_to_stop(number: int, code: int, app: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, "run", str(app)], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        assert process.stderr.readline().startswith(f"started 5 functions from {app} in ")
        process.send_signal(number)
        assert process.wait(20) == code
        assert process.stderr.read() == ""
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def test_a_spinning_guest_can_be_interrupted(write_app: Write) -> None:
    app = write_app(
        {
            "_index.yaml": """
            namespace: t
            entries:
              - {name: go, kind: function.lua, method: main, modules: [funcs], source: file://go.lua}
              - {name: spin, kind: function.wat, method: f, source: '(module (func (export "f") (loop (br 0))))'}
            """,
            "go.lua": "return {main = function() print('spinning') return require('funcs').call('t:spin') end}",
        }
    )
    command = [sys.executable, "-c", PROGRAM, "-C", str(app), "call", "t:go"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "spinning\n"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=20) == ("", "")
        assert process.returncode == -signal.SIGINT
    finally:
        process.kill()
        process.communicate()


def test_nobody_reads_the_output(app: Path) -> None:
    reader = subprocess.Popen(["true"], stdin=subprocess.PIPE)
    reader.wait()
    command = [sys.executable, "-c", PROGRAM, "-C", str(app), "run", "echo", "x" * 100_000]
    done = subprocess.run(command, stdout=reader.stdin, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert reader.stdin is not None
    reader.stdin.close()
    assert (done.returncode, done.stderr) == (141, "")
