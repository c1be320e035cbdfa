"""`wippywasm run --watch`: an app that takes up changes of its files. Spec: SPEC section 2."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

from tests.cli.conftest import Write
from wippywasm.engine.port import Engine

PROGRAM = "from wippywasm.cli.main import main; main()"
APP = "namespace: t\nentries:\n  - {name: f, kind: function.lua, method: main, source: 'file://f.lua'}\n"


def lines_until(stream: IO[str], text: str) -> list[str]:
    """The lines that come, up to one that has `text`."""
    seen: list[str] = []
    for line in stream:
        seen.append(line)
        if text in line:
            return seen
    raise AssertionError(f"no line has {text!r}: {seen}")


def put(path: Path, text: str) -> None:
    """Change a file in one step, as editors do."""
    beside = path.with_suffix(".new")
    beside.write_text(text)
    beside.replace(path)


def test_changes_are_taken_up_and_problems_are_not(write_app: Write, engine: Engine) -> None:
    app = write_app({"_index.yaml": APP, "f.lua": "return function() return 1 end"})
    command = [sys.executable, "-c", PROGRAM, "--engine", engine.name, "run", "--watch", str(app)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        try:
            lines_until(running.stderr, "started 1 function ")
            put(app / "f.lua", "return function() return 2 end")
            lines_until(running.stderr, "changed: v2 is running")
            put(app / "f.lua", "return function(")
            said = lines_until(running.stderr, "not changed: the app goes on as it was")
            assert any("f.lua:1: entry 't:f', field 'source': not valid Lua" in line for line in said)
            put(app / "f.lua", "return function() return 3 end")
            lines_until(running.stderr, "changed: v3 is running")
            running.send_signal(signal.SIGTERM)
            assert running.wait(60) == 0
        finally:
            running.kill()
