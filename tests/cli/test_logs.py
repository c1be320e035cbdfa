"""What apps log, however they are started: lines for people, or JSON. Spec: SPEC section 13."""

from __future__ import annotations

import json
import logging
import warnings
from typing import Any

import pytest

from tests.cli.conftest import Run, Write
from wippywasm.cli.logs import configure_logs
from wippywasm.errors import InvalidError


def say(**facts: Any) -> None:
    logging.getLogger("wippywasm.lua.auth").warning("hello %s", "there\nsecond", extra=facts)


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("json", 0)
    say(fields={"n": 1, "raw": b"x"}, entry="a:b", pid=None, location="f.lua:3")
    logging.getLogger("wippywasm.x").debug("not said")
    (line,) = capsys.readouterr().err.splitlines()
    record = json.loads(line)
    assert record.pop("time").endswith("+00:00")
    assert record == {
        "level": "warning",
        "logger": "wippywasm.lua.auth",
        "message": "hello there\nsecond",
        "entry": "a:b",
        "location": "f.lua:3",
        "fields": {"n": 1, "raw": "x"},
    }


def test_errors_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("json", 0)
    for error in (InvalidError("bad value", details={"path": "a.b"}), KeyError("x")):
        try:
            raise error
        except Exception:
            logging.getLogger("wippywasm.http").exception("it failed")
    ours, other = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (ours["kind"], ours["error"], ours["details"]) == ("INVALID", "bad value", {"path": "a.b"})
    assert "traceback" not in ours
    assert other["error"] == "KeyError: 'x'"
    assert "Traceback" in other["traceback"]


@pytest.mark.filterwarnings("default")
def test_what_libraries_warn_of_is_json_too_and_each_line_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("json", 0)
    configure_logs("json", 0)
    logging.getLogger("some.library").warning("no answer from %s", "x")
    logging.getLogger("some.library").info("not said")
    warnings.warn("old", DeprecationWarning, stacklevel=1)
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (first["logger"], first["message"]) == ("some.library", "no answer from x")
    assert second["logger"] == "py.warnings"
    assert "DeprecationWarning: old" in second["message"]


def test_lines_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("console", 1)
    say(fields={"user": "ann", "said": "two words"}, entry="a:b")
    logging.getLogger("wippywasm.x").debug("said with -v")
    first, second = capsys.readouterr().err.splitlines()
    assert first[13:].startswith(r"warning lua.auth: hello there\nsecond entry=a:b")
    assert "\x1b" not in first
    assert first.endswith(' user=ann said="two words"')
    assert second.endswith("debug   x: said with -v")


APP = """
namespace: t
entries:
  - {name: host, kind: process.host}
  - name: function
    kind: function.lua
    meta: {command: {name: function}}
    method: main
    modules: [logger]
    source: &source |
      local logger = require("logger")
      return {main = function()
        logger:debug("details")
        logger:info("noted")
        logger:warn("careful", {n = 1})
        return "done"
      end}
  - name: process
    kind: process.lua
    meta: {command: {name: process}}
    method: main
    modules: [logger]
    source: *source
"""
WAYS = pytest.mark.parametrize("words", [["call", "t:function"], ["run", "function"], ["run", "process"]])


@WAYS
def test_what_one_call_or_command_logs_looks_like_the_rest(words: list[str], write_app: Write, run: Run) -> None:
    app = write_app({"_index.yaml": APP})
    ran = run("-C", app, *words)
    assert (ran.code, ran.out.strip('"\n')) == (0, "done")
    first, second = ran.err.splitlines()
    assert first[13:].startswith("info    lua: noted entry=t:")
    assert second[13:].startswith("warning lua: careful entry=t:")
    assert second.endswith(" n=1")
    assert [line[13:20] for line in run("-v", "-C", app, *words).err.splitlines()] == ["debug  ", "info   ", "warning"]


@WAYS
@pytest.mark.parametrize("is_option", [True, False])
def test_and_is_json_where_that_is_wanted(words: list[str], is_option: bool, write_app: Write, run: Run) -> None:
    settings = "" if is_option else "logger: {encoding: json}\n"
    app = write_app({"_index.yaml": APP, ".wippy.yaml": settings})
    ran = run("-C", app, words[0], *(["--log", "json"] if is_option else []), words[1])
    assert (ran.code, ran.out.strip('"\n')) == (0, "done")
    assert [json.loads(line)["message"] for line in ran.err.splitlines()] == ["noted", "careful"]
