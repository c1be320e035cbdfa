"""Commands: core modules with `_start`, components with `wasi:cli/run`, and what is around them."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.wasi.conftest import Load
from tests.wasi.wasi_guests import ALLOCATOR, world
from wippywasm.errors import NotFoundError, PermissionDeniedError, Trap
from wippywasm.wasi import Capture, Wasi, run_command

CAT = """(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func (export "_start") (local $n i32)
    (i32.store (i32.const 0) (i32.const 1024))
    (loop $more
      (i32.store (i32.const 4) (i32.const 512))
      (if (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)) (then (call $exit (i32.const 2))))
      (local.set $n (i32.load (i32.const 8)))
      (i32.store (i32.const 4) (local.get $n))
      (if (local.get $n) (then
        (if (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)) (then (call $exit (i32.const 3))))
        (br $more))))))"""
"""Copies its input to its output."""

TEXT = b"".join(b"line %d\n" % i for i in range(5000))


def command(exports: str, imports: str = "") -> str:
    return f"(module {imports} {ALLOCATOR} {exports})"


RUN_WORLD = "import wasi:cli/exit@{v}; export wasi:cli/run@{v};"
EXIT = '(import "wasi:cli/exit@0.2.12" "exit" (func $exit (param i32)))'
EXIT_WITH = '(import "wasi:cli/exit@0.2.12" "exit-with-code" (func $exit (param i32)))'
NAME = "wasi:cli/run@0.2.12#run"


@pytest.mark.parametrize(
    ("imports", "body", "code"),
    [
        ("", "(i32.const 0)", 0),
        ("", "(i32.const 1)", 1),
        (EXIT, "(call $exit (i32.const 0)) (i32.const 1)", 0),
        (EXIT, "(call $exit (i32.const 1)) (i32.const 0)", 1),
        (EXIT_WITH, "(call $exit (i32.const 42)) (i32.const 0)", 42),
    ],
)
def test_exit_codes_of_components(load: Load, imports: str, body: str, code: int) -> None:
    text = command(f'(func (export "{NAME}") (result i32) {body})', imports)
    with Wasi() as wasi:
        assert run_component(load(text, wit=world(RUN_WORLD)), wasi) == code


def run_component(module: Any, wasi: Wasi) -> int:
    """A core module with the world of a command is as good as a component here."""
    module.kind = "component"
    return run_command(module, wasi)


def test_traps_and_denials_are_errors_and_no_exit_codes(load: Load) -> None:
    unreachable = '(module (func (export "_start") unreachable))'
    with pytest.raises(Trap):
        run_command(load(unreachable), Wasi())
    with pytest.raises(PermissionDeniedError):
        run_command(load(CAT), Wasi(), ["wasi:cli"])


def test_what_is_no_command_is_refused(load: Load) -> None:
    with pytest.raises(NotFoundError, match="not a command"):
        run_command(load('(module (func (export "main")))'), Wasi())
    with pytest.raises(NotFoundError, match="not a command"):
        run_command(load("(component)"), Wasi())


def test_bytes_in_and_captured_out(load: Load) -> None:
    out = Capture()
    assert run_command(load(CAT), Wasi(stdin=TEXT, stdout=out)) == 0
    assert out.data == TEXT


def test_files_in_and_out(load: Load, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(TEXT)
    with (tmp_path / "in").open("rb") as source, (tmp_path / "out").open("wb") as sink:
        sink.write(b"first\n")
        wasi = Wasi(stdin=source, stdout=sink)
        sink.write(b"second\n")
        assert run_command(load(CAT), wasi) == 0
        sink.write(b"last\n")
    assert (tmp_path / "out").read_bytes() == b"first\nsecond\n" + TEXT + b"last\n"
    memory = io.BytesIO()
    assert run_command(load(CAT), Wasi(stdin=io.BytesIO(TEXT), stdout=memory)) == 0
    assert memory.getvalue() == TEXT


def test_functions_in_and_out(load: Load) -> None:
    parts, got = [TEXT[:1000], TEXT[1000:], b""], list[bytes]()

    async def read(limit: int) -> bytes:
        return parts.pop(0)

    async def write(data: bytes) -> None:
        got.append(data)

    assert run_command(load(CAT), Wasi(stdin=read, stdout=write)) == 0
    assert b"".join(got) == TEXT


def test_nothing_in_and_nowhere_out(load: Load) -> None:
    assert run_command(load(CAT), Wasi(stdin=None, stdout=None)) == 0
    assert run_command(load(CAT), Wasi(stdin=TEXT, stdout=None)) == 0


PROGRAM = """
import sys, wippywasm
from wippywasm.wasi import Wasi, run_command
print("before")
code = run_command(wippywasm.load(sys.argv[1], engine=sys.argv[2]), Wasi(stdin="inherit"))
print("after", code)
"""


def test_the_process_own_streams_through_pipes(engine: str, tmp_path: Path) -> None:
    (tmp_path / "cat.wat").write_text(CAT)
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "cat.wat"), engine],
        input=TEXT,
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert ran.stdout == b"before\n" + TEXT + b"after 0\n"
    assert ran.stderr == b""


def test_the_process_own_output_where_python_replaced_it(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    replaced = io.StringIO()
    monkeypatch.setattr(sys, "stdout", replaced)
    wasi = Wasi(stdin="grüße".encode())
    monkeypatch.undo()
    assert run_command(load(CAT), wasi) == 0
    assert replaced.getvalue() == "grüße"


def test_terminals_are_known_as_such(load: Load) -> None:
    outer, inner = pty.openpty()
    try:
        with os.fdopen(os.dup(inner), "rb", buffering=0) as stdin, os.fdopen(os.dup(inner), "wb") as stdout:
            wasi = Wasi(stdin=stdin, stdout=stdout, stderr=None)
            assert (wasi.stdin.is_terminal, wasi.stdout.is_terminal, wasi.stderr.is_terminal) == (True, True, False)
            for name, there in (("stdin", 1), ("stdout", 1), ("stderr", 0)):
                assert terminal_seen(load, wasi, name) == there
    finally:
        os.close(outer)
        os.close(inner)


def terminal_seen(load: Load, wasi: Wasi, name: str) -> int:
    """Whether a guest gets a terminal for that stream."""
    text = command(
        '(func (export "seen") (result i32) (call $get (i32.const 0)) (i32.load8_u (i32.const 0)))',
        f'(import "wasi:cli/terminal-{name}@0.2.12" "get-terminal-{name}" (func $get (param i32)))',
    )
    items = f"import wasi:cli/terminal-{name}@{{v}}; export seen: func() -> s32;"
    with load(text, wit=world(items)).instantiate(wasi=wasi) as guest:
        seen: int = guest.call("seen")
    return seen


def test_dropping_in_the_wrong_order_traps_and_the_host_stays(load: Load) -> None:
    text = command(
        """(func (export "good") (local $s i32) (local $p i32)
            (local.set $s (call $get)) (local.set $p (call $subscribe (local.get $s)))
            (call $drop-pollable (local.get $p)) (call $drop (local.get $s)))
          (func (export "bad") (local $s i32)
            (local.set $s (call $get)) (drop (call $subscribe (local.get $s))) (call $drop (local.get $s)))""",
        """(import "wasi:cli/stdin@0.2.12" "get-stdin" (func $get (result i32)))
        (import "wasi:io/streams@0.2.12" "[method]input-stream.subscribe" (func $subscribe (param i32) (result i32)))
        (import "wasi:io/poll@0.2.12" "[resource-drop]pollable" (func $drop-pollable (param i32)))
        (import "wasi:io/streams@0.2.12" "[resource-drop]input-stream" (func $drop (param i32)))""",
    )
    items = "import wasi:cli/stdin@{v}; import wasi:io/streams@{v}; export good: func(); export bad: func();"
    component, wasi = load(text, wit=world(items)), Wasi()
    with component.instantiate(wasi=wasi) as guest:
        guest.call("good")
        with pytest.raises(Trap, match="dropped before 1 that depend"):
            guest.call("bad")
    with component.instantiate(wasi=wasi) as guest:
        guest.call("good")


def test_a_guest_can_not_hoard_resources(load: Load) -> None:
    text = command(
        """(func (export "hoard") (local $i i32)
            (loop $more (drop (call $get)) (local.set $i (i32.add (local.get $i) (i32.const 1)))
              (br_if $more (i32.lt_u (local.get $i) (i32.const 200000)))))""",
        '(import "wasi:cli/stdin@0.2.12" "get-stdin" (func $get (result i32)))',
    )
    component = load(text, wit=world("import wasi:cli/stdin@{v}; export hoard: func();"))
    with component.instantiate(wasi=Wasi()) as guest, pytest.raises(Trap, match="no free keys"):
        guest.call("hoard")
