"""Lengths of time in definition files: `10s`, `1m30s`, `200ms`.

In: a node. Out: seconds. The units are those of Lua's `time` module.
"""

from __future__ import annotations

import re

from wippywasm.app.definition.node import Node
from wippywasm.app.schema.scope import Scope
from wippywasm.app.schema.types import refuse
from wippywasm.dataclass import dataclass

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(h|ms|m|s|us|µs|ns)")
_MAX_SECONDS = 100 * 365 * 86400.0


def parse_duration(text: str) -> float | None:
    """Seconds, or None for what is no length of time: parts of a number and a unit, none below zero."""
    at, seconds = 0, 0.0
    while part := _PART.match(text, at):
        seconds += float(part[1]) * _UNITS[part[2]]
        at = part.end()
    return seconds if 0 < at == len(text) <= 64 and seconds <= _MAX_SECONDS else None


@dataclass(frozen=True)
class Duration:
    """Gives seconds as a float. A bare 0 needs no unit."""

    words: str = "a length of time such as 500ms, 10s or 1m30s"

    def check(self, node: Node, scope: Scope) -> float | None:
        value = node.value
        if isinstance(value, int | float) and value == 0 and not isinstance(value, bool):
            return 0.0
        seconds = parse_duration(value) if isinstance(value, str) else None
        if seconds is None:
            refuse(node, scope, self.words, f"with a unit: {value}s" if isinstance(value, int) else None)
        return seconds


@dataclass(frozen=True)
class Number:
    """A number within bounds, whole or not."""

    minimum: float
    maximum: float

    @property
    def words(self) -> str:
        return f"a number from {self.minimum:g} to {self.maximum:g}"

    def check(self, node: Node, scope: Scope) -> float | None:
        value = node.value
        if isinstance(value, int | float) and not isinstance(value, bool) and self.minimum <= value <= self.maximum:
            return float(value)
        refuse(node, scope, self.words)
        return None
