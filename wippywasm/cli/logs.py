"""What the programs of an app and the runtime log, on standard error: lines for people, or one JSON object a line.

In: records of Python's logging, from `wippywasm` and below, and warnings of libraries. Out: text. The library itself
configures no logging; only the command line does. Spec: SPEC section 13.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from wippywasm.cli.output import styled, tame
from wippywasm.errors import WippyError

ROOT = "wippywasm"
_COLOURS = {"DEBUG": "cyan", "INFO": "green", "WARNING": "yellow", "ERROR": "red", "CRITICAL": "red"}
_FACTS = ("entry", "pid", "location", "fields", "denial")
"""What records of this runtime have beside their message."""


def configure_logs(encoding: str, verbosity: int) -> None:
    """Write what the runtime logs: from `info` on, with `-v` all of it; what libraries and Python warn of."""
    handler = logging.StreamHandler(sys.stderr)
    handler.name = ROOT
    handler.setFormatter(JsonFormatter() if encoding == "json" else ConsoleFormatter())
    everyone = logging.getLogger()
    for former in [one for one in everyone.handlers if one.name == ROOT]:
        everyone.removeHandler(former)
    everyone.addHandler(handler)
    logging.getLogger(ROOT).setLevel(logging.DEBUG if verbosity else logging.INFO)
    logging.captureWarnings(True)


def facts_of(record: logging.LogRecord) -> dict[str, Any]:
    """What a record says beside its message; an error by its kind."""
    facts = {name: value for name in _FACTS if (value := getattr(record, name, None)) not in (None, {}, "")}
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, WippyError):
        facts |= {
            "kind": error.kind.value,
            "error": str(error),
            **({"details": error.details} if error.details else {}),
        }
    elif error is not None:
        facts["error"] = f"{type(error).__name__}: {error}"
    return facts


class JsonFormatter(logging.Formatter):
    """One object a line: `time`, `level`, `logger`, `message`, and what else the record says."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **facts_of(record),
        }
        if record.exc_info and not isinstance(record.exc_info[1], WippyError):
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=_told)


class ConsoleFormatter(logging.Formatter):
    """A line for people: the time, the level, who, the message, and the facts as `name=value`."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created).strftime("%H:%M:%S.%f")[:-3]
        level = styled(f"{record.levelname.lower():7}", sys.stderr, fg=_COLOURS.get(record.levelname, "red"))
        who = record.name.removeprefix(f"{ROOT}.")
        facts = {name: value for name, value in facts_of(record).items() if name not in ("denial", "details")}
        fields = facts.pop("fields", {})
        told = "".join(f" {name}={_short(value)}" for name, value in {**facts, **fields}.items())
        text = tame(f"{who}: {record.getMessage()}{told}").replace("\n", "\\n")
        if record.exc_info and not isinstance(record.exc_info[1], WippyError):
            text += f"\n{self.formatException(record.exc_info)}"
        return f"{time} {level} {text}"


def _short(value: Any) -> str:
    text = (
        value if isinstance(value, str) and " " not in value else json.dumps(value, ensure_ascii=False, default=_told)
    )
    return text if len(text) <= 200 else f"{text[:200]}…"


def _told(value: Any) -> Any:
    """What JSON has no word for, as text."""
    if isinstance(value, Mapping):
        return dict(value)
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else repr(value)
