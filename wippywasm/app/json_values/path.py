"""The way from an argument down to the value at hand, for messages.

In: names and indices. Out: `users[3].tags`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

from wippywasm.app.json_values.text import MAX_DEPTH
from wippywasm.errors import ValueMismatchError
from wippywasm.model import ValType
from wippywasm.plan.describe import describe


class Words(str):
    """What was got, in words already."""


@dataclass(frozen=True)
class Path:
    """Immutable; costs nothing until an error wants its text."""

    name: str | int
    parent: Path | None = None
    depth: int = 1

    def then(self, name: str | int) -> Path:
        if self.depth >= 2 * MAX_DEPTH:
            raise ValueMismatchError(str(self), "a value of bounded depth", "one nested too deeply")
        return Path(name, self, self.depth + 1)

    def __str__(self) -> str:
        names: list[str] = []
        path: Path | None = self
        while path is not None:
            text = f"[{path.name}]" if isinstance(path.name, int) else str(path.name)
            names.append(text if path.parent is None or isinstance(path.name, int) else f".{text}")
            path = path.parent
        return "".join(reversed(names))

    def misfit(self, expected: ValType | str, got: Any, hint: str | None = None) -> ValueMismatchError:
        """The error that `got` is not `expected`."""
        words = expected if isinstance(expected, str) else describe(expected)
        return ValueMismatchError(str(self), words, got_words(got), hint=hint)

    def refuse(self, expected: ValType | str, got: Any, hint: str | None = None) -> NoReturn:
        raise self.misfit(expected, got, hint)


def got_words(value: Any) -> str:
    """A JSON value in a few words."""
    if isinstance(value, Words):
        return value
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= 40 else f'"{value[:39]}…"'
    if isinstance(value, list):
        return f"an array of {len(value)}"
    if isinstance(value, dict):
        return f"an object of {len(value)}"
    return str(value) if not isinstance(value, int) or abs(value) < 10**40 else "a huge number"
