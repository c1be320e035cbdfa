"""Ctrl-C while a guest spins: the command ends by the signal, which a shell shows as 130, on each engine."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from tests.instance.conftest import engine

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


def test_a_guest_that_spins(tmp_path: Path, engine: str) -> None:
    (tmp_path / "_index.yaml").write_text(SPINNER)
    (tmp_path / "spin.wat").write_text(GUEST)
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "wippywasm",
        "call",
        "--engine",
        engine,
        "-C",
        str(tmp_path),
        "t:spin",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (-signal.SIGINT, ""), errors
    assert "Traceback" not in errors
