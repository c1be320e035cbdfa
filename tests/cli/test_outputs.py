"""Where output goes when nobody takes it, and what messages may hold."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from wippywasm.cli.output import json_line, print_json

ENDLESS = """
namespace: x
entries:
  - name: forever
    kind: function.lua
    method: main
    meta: {command: {name: forever}}
    source: |
      return { main = function() while true do print(("line"):rep(100)) end end }
  - name: loud
    kind: function.lua
    method: main
    source: |
      return { main = function() error("\\27[31mred\\0" .. ("x"):rep(50000)) end }
"""
COMMAND = [sys.executable, "-m", "wippywasm"]


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "_index.yaml").write_text(ENDLESS)
    return tmp_path


def test_a_program_that_prints_to_nobody_ends(app: Path) -> None:
    with subprocess.Popen([*COMMAND, "-C", str(app), "run", "forever"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"line")
        process.stdout.close()
        assert process.wait(60) == 141


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
@pytest.mark.parametrize("arguments", [["run", "forever"], ["engines"]])
def test_a_full_disk_is_told(app: Path, arguments: list[str]) -> None:
    with open("/dev/full", "w") as full:
        ran = subprocess.run(
            [*COMMAND, "-C", str(app), *arguments], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
        )
    assert ran.returncode == 1
    assert ran.stderr == "error: can't write to standard output: No space left on device\n"


def test_streams_that_are_closed_are_no_fault() -> None:
    code = "import os, sys; os.close(1); os.execv(sys.executable, [sys.executable, '-m', 'wippywasm', 'engines'])"
    ran = subprocess.run([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, timeout=60)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_message_neither_commands_the_terminal_nor_floods_it(app: Path) -> None:
    ran = subprocess.run([*COMMAND, "-C", str(app), "call", "x:loud"], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 1
    assert "\\x1b[31mred\\x00" in ran.stderr
    assert "\x1b" not in ran.stderr
    assert len(ran.stderr) < 30_000


def test_a_folder_whose_name_is_not_utf_8(app: Path) -> None:
    folder = os.fsencode(app) + b"/bad\xff"
    os.mkdir(folder)
    (app / "_index.yaml").rename(os.fsdecode(folder) + "/_index.yaml")
    ran = subprocess.run([*COMMAND, "-C", folder, "call", "x:loud"], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 1
    assert "unexpected" not in ran.stderr


UNSEEN = "pay\u202etxt\ufeff\x7f\x9b\u2028\x1b[31m\U000e0041\n\t"


@pytest.mark.parametrize("on_terminal", [False, True])
def test_json_holds_nothing_unseen_and_has_the_same_value(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, on_terminal: bool
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: on_terminal)
    value = {UNSEEN: [UNSEEN, 1, None, {}, "Zo\u00eb \u05d0"]}
    print_json(value)
    out = capsys.readouterr().out
    assert json.loads(out) == value
    assert not {c for c in UNSEEN if not c.isalnum()} - set("[\n") & set(out)
    assert "Zo\u00eb \u05d0" in out
    assert (out.count("\n") > 5) == on_terminal


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {"a": []},
        {"a": {"b": {}, "c": [[1, [2]], "x\u202ey"]}},
        {"many": [{"n": n} for n in range(2_500)]},
    ],
    ids=repr,
)
def test_json_that_is_written_in_pieces_is_whole(value: object, capsys: pytest.CaptureFixture[str]) -> None:
    print_json(value)
    text = capsys.readouterr().out
    assert json.loads(text) == value
    assert text == f"{json_line(value)}\n"
