"""SIGINT: it ends the process at once, a shell shows 130, and nothing is said, whatever the command is about.

Where guests of a command run, it ends those in order instead; tests/processes/test_commands.py has that.
"""

from __future__ import annotations

import io
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.instance.conftest import engine
from wippywasm.cli import progress
from wippywasm.cli.commands import run_main

__all__ = ["engine"]

SPINNER = """\
version: "1.0"
namespace: t
entries:
  - name: spin
    kind: function.wat
    method: spin
    imports: ["funcs"]
    source: file://spin.wat
  - name: ready
    kind: function.lua
    method: main
    source: "return {main = function() print('ready') return 'x' end}"
"""
GUEST = """
(component
  (import "wippy:runtime/funcs@0.1.0" (instance $funcs
    (export "call-string" (func (param "target" string) (param "input" string)
      (result (result string (error string)))))))
  (core module $libc (memory (export "memory") 1) (data (i32.const 0) "t:ready")
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
  (core instance $libc (instantiate $libc))
  (core func $call (canon lower (func $funcs "call-string")
    (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (core module $m (import "" "call" (func $call (param i32 i32 i32 i32 i32)))
    (func (export "spin") (call $call (i32.const 0) (i32.const 7) (i32.const 0) (i32.const 0) (i32.const 64))
      (loop $l (br $l))))
  (core instance $i (instantiate $m (with "" (instance (export "call" (func $call))))))
  (func (export "spin") (canon lift (core func $i "spin"))))
"""
WAITER = """\
version: "1.0"
namespace: t
entries:
  - {name: f, kind: function.wat, method: f, source: '(module (func (export "f")))'}
  - name: waits
    kind: process.lua
    meta: {command: {name: waits, short: x}}
    modules: [time]
    method: main
    source: "return {main = function() print('ready') require('time').sleep('1h') end}"
"""
MAIN = "from wippywasm.cli.main import main; main()"
SLOW_IMPORT = f"""
import sys, time, weakref

class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == "wippywasm.cli.commands":
            one = type("One", (), {{}})()
            dropped = weakref.ref(one, wait)
            del one

def wait(_):
    print("ready", flush=True)
    sys.stdin.readline()

sys.meta_path.insert(0, Slow())
{MAIN}
"""
"""A callback of a weak reference, in an import: Python drops what is raised there."""
ENGINE_AT_WORK = f"""
import collections, itertools
from wippywasm.instance.component import Component

def compile(self):
    print("ready", flush=True)
    collections.deque(itertools.repeat(None), maxlen=0)

Component.compile = compile
{MAIN}
"""
"""In the place of an engine that compiles: native code that holds the interpreter and looks at no signals."""
SLOW_END = f"""
import atexit, time

def wait():
    print("leaving", flush=True)
    time.sleep(60)

atexit.register(wait)
{MAIN}
"""


@contextmanager
def running(*command: str, stdin: int = subprocess.DEVNULL) -> Iterator[subprocess.Popen[str]]:
    """A command of this Python."""
    whole = [sys.executable, "-W", "ignore", *command]
    with subprocess.Popen(whole, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def interrupt(process: subprocess.Popen[str], after: str) -> None:
    """Once it has said so."""
    assert process.stdout is not None
    assert process.stdout.readline() == f"{after}\n"
    process.send_signal(signal.SIGINT)


def end_of(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "_index.yaml").write_text(WAITER)
    return tmp_path


def test_a_guest_that_spins(tmp_path: Path, engine: str) -> None:
    (tmp_path / "_index.yaml").write_text(SPINNER)
    (tmp_path / "spin.wat").write_text(GUEST)
    with running("-m", "wippywasm", "call", "--engine", engine, "-C", str(tmp_path), "t:spin") as process:
        interrupt(process, after="ready")
        code, out, err = end_of(process)
    assert (code, out) == (-signal.SIGINT, ""), err
    assert "Traceback" not in err


def test_while_it_starts() -> None:
    with running("-c", SLOW_IMPORT, "engines") as process:
        interrupt(process, after="ready")
        assert end_of(process) == (-signal.SIGINT, "", "")


def test_one_that_is_ignored_stays_so() -> None:
    ignoring = f"import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n{SLOW_IMPORT}"
    with running("-c", ignoring, "--version", stdin=subprocess.PIPE) as process:
        interrupt(process, after="ready")
        code, out, err = end_of(process)
    assert (code, err) == (0, "")
    assert out.startswith("wippywasm ")


@pytest.mark.parametrize("command", [("run", "waits"), ("call", "t:f"), ("lint",), ("run",)])
def test_while_an_engine_compiles(app: Path, command: tuple[str, ...]) -> None:
    with running("-c", ENGINE_AT_WORK, "-C", str(app), *command) as process:
        interrupt(process, after="ready")
        assert end_of(process) == (-signal.SIGINT, "", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_one_ends_what_is_left(app: Path, number: signal.Signals) -> None:
    with running("-c", SLOW_END, "-C", str(app), "run", "waits") as process:
        interrupt(process, after="ready")
        assert process.stdout is not None
        assert process.stdout.readline() == "leaving\n"
        process.send_signal(number)
        assert end_of(process) == (-number, "", "")


def test_a_second_one_ends_what_is_left_of_an_app(app: Path) -> None:
    with running("-c", SLOW_END, "run", str(app)) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("started ")
        process.send_signal(signal.SIGTERM)
        interrupt(process, after="leaving")
        assert end_of(process) == (-signal.SIGINT, "", "")


def test_the_library_leaves_signals_alone(app: Path) -> None:
    probe = f"""
import asyncio, signal, wippywasm, wippywasm.cli.main
from wippywasm.cli.commands import run_main

async def call():
    async with wippywasm.App.load({str(app)!r}) as app:
        await app.call("t:f")

asyncio.run(call())
assert run_main(["-C", {str(app)!r}, "call", "t:f"]) == 0
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
"""
    with running("-c", probe) as process:
        assert end_of(process)[0] == 0


def test_an_exception_of_python_says_nothing(
    app: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("wippywasm.cli.engines.print_columns", interrupted)
    assert run_main(["engines"]) == 130
    assert capfd.readouterr() == ("", "")


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_progress_bar_leaves_the_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    monkeypatch.setenv("TERM", "xterm")
    terminal = _Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress.ProgressBar("compiling") as bar:
        bar(0, 2)
        bar(1, 2)
    assert "compiling" in terminal.getvalue()
    assert "\x1b[?25" not in terminal.getvalue()
