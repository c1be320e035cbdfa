"""The way from an argument down to the value at hand, for messages.

In: names and indices. Out: `users[3].tags`.
"""

from __future__ import annotations

from typing import Any, NoReturn

from wippywasm.app.json_values.text import MAX_DEPTH
from wippywasm.app.json_values.words import got_words
from wippywasm.dataclass import dataclass
from wippywasm.errors import ValueMismatchError
from wippywasm.model import ValType
from wippywasm.plan.describe import describe


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
