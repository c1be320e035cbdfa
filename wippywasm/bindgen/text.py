"""Python source as lines: blocks, docstrings, literals.

In: words. Out: text that Python, mypy and ruff take as it is, whatever documentation says.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from wippywasm.unfolded import Texts

_CLOSING = re.compile(r'"{3,}|"+\Z')
"""Quotes that would end a text in triple quotes, or be taken for its end."""
REPEATED = 24
"""The characters of a line that may be there thousands of times, such as `pass` and decorators, and is kept once."""


class Lines:
    """Lines under construction, at an indentation; with types in them, whose texts are counted."""

    def __init__(self, types: Texts | None = None) -> None:
        self._types = types
        self._lines: list[str] = []
        self._indent = ""

    def line(self, text: str = "") -> None:
        """Add a line. Raises TooLongError where it is one too many for what the types are."""
        self._add(text if self._types is None else self._types.line(text))

    def _add(self, text: str) -> None:
        line = self._indent + text if text else ""
        self._lines.append(line if len(line) > REPEATED else sys.intern(line))

    def gap(self, count: int = 1) -> None:
        """Empty lines, unless a block begins here."""
        if self._lines and not self._lines[-1].endswith((":", "{", "(")):
            self._lines += [""] * count

    @contextmanager
    def block(self, head: str, foot: str = "") -> Iterator[None]:
        """A compound statement or a display; `foot` closes it."""
        self.line(head)
        with self.indented():
            yield
        if foot:
            self.line(foot)

    @contextmanager
    def indented(self) -> Iterator[None]:
        """A block whose head has been written."""
        self._indent += "    "
        yield
        self._indent = self._indent[:-4]

    def docs(self, text: str | None) -> None:
        """A docstring, where there is something to say."""
        if not text:
            return
        first, *rest = _escaped(text.strip("\n")).split("\n")
        if not rest:
            self._add(f'"""{first}"""')
            return
        self._add(f'"""{first}')
        for line in rest:
            self._add(line)
        self._add('"""')

    def text(self) -> str:
        return "\n".join(self._lines) + "\n"


def _escaped(text: str) -> str:
    """Text for the inside of triple quotes; control characters, which source can't have, are escaped."""
    text = _CLOSING.sub(lambda quotes: '\\"' * len(quotes[0]), text.replace("\\", "\\\\"))
    return "".join(c if c == "\n" or c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def string(text: str) -> str:
    """A literal in double quotes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"' if escaped.isprintable() else repr(text)


def long_string(name: str, text: str) -> str:
    """An assignment of a text of several lines."""
    return f'{name} = """\\\n{_escaped(text)}"""\n'
