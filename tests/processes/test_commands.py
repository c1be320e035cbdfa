"""Commands that are processes: streams, arguments, exit codes, signals. Real subprocesses. Spec: SPEC section 13."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.processes.conftest import lua
from tests.processes.guests import (
    ARGS,
    CAT,
    FAILS,
    FILES,
    HANGS,
    PREVIEW_1,
    SPIN,
    SPIN_WIT,
    SUCCEEDS,
    YES,
    wasm_process,
)
from wippywasm.engine.port import Engine

PROGRAM = "from wippywasm.cli.main import main; main()"
GUESTS = {
    "cat": (CAT, "_start", PREVIEW_1),
    "args": (ARGS, "_start", PREVIEW_1),
    "yes": (YES, "_start", PREVIEW_1),
    "hangs": (HANGS, "_start", PREVIEW_1),
    "spin": (SPIN, "spin", f"  wit: '{SPIN_WIT}'\n"),
    "trap": (SPIN, "trap", f"  wit: '{SPIN_WIT}'\n"),
    "add": (SPIN, "add", f"  wit: '{SPIN_WIT}'\n"),
    "fails": (FAILS, "wasi:cli/run#run", "  imports: [wasi:cli]\n"),
    "succeeds": (SUCCEEDS, "wasi:cli/run#run", "  imports: [wasi:cli]\n"),
}


def lua_command(name: str, body: str) -> str:
    return lua(name, body).replace("  kind:", f"  meta: {{command: {{name: {name}}}}}\n  kind:", 1)


LUA = (
    lua_command("words", 'print(...) return "said"')
    + lua_command("code", "return tonumber((...))")
    + lua_command("flag", 'return ... == "yes"')
    + lua_command("broken", 'error("broken")')
    + lua_command("refuses", 'return nil, {why = "no"}')
    + lua_command("waits", 'print("ready") process.inbox():receive()')
    + lua_command("tidy", 'local e = process.events() print("ready") local c = e:receive() print(c.reason) return 7')
    + lua_command("talks", 'while true do print("line") end')
)


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """An app of all of them."""
    entries = FILES + LUA
    for name, guest in GUESTS.items():
        entry, wasm = wasm_process(name, *guest)
        entries += entry
        (tmp_path / f"{name}.wasm").write_bytes(wasm)
    text = "".join(f"  {line}\n" for line in entries.splitlines())
    (tmp_path / "_index.yaml").write_text(f"namespace: t\nentries:\n{text}")
    return tmp_path


class Commands:
    def __init__(self, app: Path, engine: Engine) -> None:
        self._line = [sys.executable, "-c", PROGRAM, "-C", str(app), "--engine", engine.name, "run"]

    def start(self, *words: str, **options: Any) -> subprocess.Popen[bytes]:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        return subprocess.Popen([*self._line, *words], **pipes)

    def run(self, *words: str, input: bytes = b"") -> tuple[int, bytes, bytes]:
        process = self.start(*words)
        out, err = process.communicate(input, timeout=60)
        return process.returncode, out, err


@pytest.fixture
def commands(app: Path, engine: Engine) -> Commands:
    return Commands(app, engine)


def test_they_are_listed(commands: Commands) -> None:
    code, out, _ = commands.run("--json", "list")
    assert code == 0
    assert {"name": "cat", "short": "A guest", "id": "t:cat"} in json.loads(out)


def test_input_goes_through(commands: Commands) -> None:
    text = b"".join(b"line %d\n" % i for i in range(50_000))
    assert commands.run("cat", input=text) == (0, text, b"")


def test_input_goes_through_as_it_comes(commands: Commands) -> None:
    process = commands.start("cat")
    assert process.stdin is not None
    assert process.stdout is not None
    for word in (b"one\n", b"two\n"):
        process.stdin.write(word)
        process.stdin.flush()
        assert process.stdout.read(len(word)) == word
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, b"", b"")


def test_arguments_and_the_exit_code(commands: Commands) -> None:
    assert commands.run("args", "a b", "--json", "") == (4, b"args\0a b\0--json\0\0", b"")


@pytest.mark.parametrize(("name", "code"), [("fails", 1), ("succeeds", 0)])
def test_a_component_says_whether_it_failed(commands: Commands, name: str, code: int) -> None:
    assert commands.run(name) == (code, b"", b"")


def test_an_export_takes_its_arguments_and_its_result_is_the_exit_code(commands: Commands) -> None:
    assert commands.run("add", "3", "4")[:2] == (7, b"")
    code, _, err = commands.run("add", "3")
    assert code == 2
    assert b"add" in err


def test_a_trap_is_told(commands: Commands) -> None:
    code, out, err = commands.run("trap")
    assert (code, out) == (1, b"")
    assert b"unreachable" in err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("words", "a", "b"), (0, b"a\tb\nsaid\n")),
        (("code", "5"), (5, b"")),
        (("flag", "yes"), (0, b"")),
        (("flag", "no"), (1, b"")),
    ],
)
def test_lua(commands: Commands, words: tuple[str, ...], expected: tuple[int, bytes]) -> None:
    assert commands.run(*words) == (*expected, b"")


def test_what_lua_fails_with_is_told(commands: Commands) -> None:
    code, _, err = commands.run("broken")
    assert code == 1
    assert b"broken" in err
    assert commands.run("refuses") == (1, b"", b'{"why":"no"}\n')


@pytest.mark.parametrize("name", ["yes", "talks"])
def test_nobody_reads_the_output(commands: Commands, name: str) -> None:
    process = commands.start(name)
    assert process.stdout is not None
    assert process.stdout.readline() in (b"yes\n", b"line\n")
    process.stdout.close()
    assert process.wait(timeout=60) == 141
    assert process.stderr is not None
    assert process.stderr.read() == b""
    for stream in (process.stdin, process.stderr):
        assert stream is not None
        stream.close()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it(commands: Commands, number: int, code: int) -> None:
    process = commands.start("waits")
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (code, b"")


def test_a_signal_ends_a_guest_that_reads(commands: Commands) -> None:
    process = commands.start("cat")
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"x")
    process.stdin.flush()
    assert process.stdout.read(1) == b"x"
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130
    assert process.communicate() == (b"", b"")


def test_a_signal_ends_a_guest_that_computes(commands: Commands) -> None:
    process = commands.start("hangs")
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130
    assert process.communicate() == (b"", b"")


def test_a_program_may_tidy_up(commands: Commands) -> None:
    process = commands.start("tidy")
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (7, b"SIGINT\n", b"")
