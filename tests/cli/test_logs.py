"""What a running app logs: lines for people, or JSON. Spec: SPEC section 13."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from wippywasm.cli.logs import ROOT, configure_logs
from wippywasm.errors import InvalidError


@pytest.fixture(autouse=True)
def untouched() -> Iterator[None]:
    """Logging as it was, after each test."""
    logger, everyone = logging.getLogger(ROOT), logging.getLogger()
    before = everyone.handlers[:], logger.level
    yield
    logging.captureWarnings(False)
    everyone.handlers[:] = before[0]
    logger.setLevel(before[1])


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
