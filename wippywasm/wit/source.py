"""Where WIT text comes from, and how a place in it becomes a diagnostic.

In: the text of a file. Out: `Span`s, which stay cheap until an error needs their line and column.
Errors are raised as `Refusal` inside this folder and leave it as one `WitDiagnosticsError` with all of them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

from wippywasm.errors import Diagnostic, WitDiagnosticsError

MAX_SHOWN = 25
"""Complaints that are told in full: more would be noise of the first ones."""
MAX_KEPT = 100
"""Complaints after which the rest of a text is not looked at: a long text may have a million."""
MAX_MESSAGE = 400
"""Characters of a message or hint: names may be as long as a file."""
MAX_SHOWN_LINE = 500
"""A longer line is not shown in a diagnostic: it would flood a terminal."""


class Source:
    """One text: `path` is for messages, `line_offset` the lines that precede the text in its file."""

    def __init__(self, path: str, text: str, line_offset: int = 0) -> None:
        self.path = path
        self.text = text
        self.line_offset = line_offset

    @cached_property
    def _line_starts(self) -> list[int]:
        starts, at = [0], self.text.find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = self.text.find("\n", at + 1)
        return starts

    def place(self, offset: int) -> tuple[int, int]:
        """1-based line, counted from the start of the file, and 1-based column, in characters."""
        line = bisect_right(self._line_starts, offset)
        return line + self.line_offset, offset - self._line_starts[line - 1] + 1

    def line_at(self, offset: int) -> str:
        """The line that `offset` is in, without halves of surrogate pairs; nothing if it is too long to be shown."""
        start = self._line_starts[bisect_right(self._line_starts, offset) - 1]
        end = self.text.find("\n", start)
        end = len(self.text) if end < 0 else end
        line = self.text[start:end].rstrip("\r") if end - start <= MAX_SHOWN_LINE else ""
        return line.encode("utf-8", "replace").decode("utf-8")


class Span(NamedTuple):
    """Characters `start` to `end` of a source."""

    source: Source
    start: int
    end: int

    def to(self, last: Span) -> Span:
        return Span(self.source, self.start, last.end)

    def place(self) -> str:
        line, column = self.source.place(self.start)
        return f"{self.source.path}:{line}:{column}"

    def diagnostic(self, message: str, hint: str | None = None) -> Diagnostic:
        line, column = self.source.place(self.start)
        shown = self.source.line_at(self.start)
        width = min(self.end - self.start, max(1, len(shown) - column + 1))
        return Diagnostic(
            _shortened(message), self.source.path, line, column, shown, max(width, 1), hint and _shortened(hint)
        )


class Refusal(Exception):
    """One complaint about a text, on its way to the place that collects them."""

    def __init__(self, span: Span | None, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.span = span
        self.message = message
        self.hint = hint

    def diagnostic(self, path: str) -> Diagnostic:
        if self.span is None:
            return Diagnostic(self.message, path, 1, 1, hint=self.hint)
        return self.span.diagnostic(self.message, self.hint)


class Poisoned(Exception):
    """Something refers to what was refused already: no complaint of its own."""


class Enough(Exception):
    """There are so many complaints that nobody looks for more."""


class Complaints(list[Refusal]):
    """Refusals on their way to the user, no more than `MAX_KEPT`; the last one that fits raises `Enough`."""

    def add(self, *refusals: Refusal) -> None:
        for refusal in refusals:
            self.append(refusal)
            if len(self) >= MAX_KEPT:
                raise Enough

    def collecting(self) -> _Collecting:
        """Keeps a refusal, so that the next item is looked at too."""
        return _Collecting(self)


class _Collecting:
    """A class, as there is one for each item of a text: a generator takes four times as long."""

    __slots__ = ("_complaints",)

    def __init__(self, complaints: Complaints) -> None:
        self._complaints = complaints

    def __enter__(self) -> None:
        pass

    def __exit__(self, type: object, error: BaseException | None, _: object) -> bool:
        if isinstance(error, Refusal):
            self._complaints.add(error)
            return True
        return isinstance(error, Poisoned)


def refuse_all(refusals: Sequence[Refusal], path: str) -> WitDiagnosticsError:
    """The one error for all `refusals`, the first of them in full.

    `path` is named where a refusal has no place of its own.
    """
    found = {_identity(refusal, path): refusal for refusal in refusals}
    first = sorted(found)[:MAX_SHOWN]
    more, is_all = len(found) - len(first), len(refusals) < MAX_KEPT
    return WitDiagnosticsError([found[key].diagnostic(path) for key in first], more, is_all=is_all)


def _identity(refusal: Refusal, path: str) -> tuple[str, int, int, str]:
    """What orders refusals and tells two of them apart."""
    span = refusal.span
    if span is None:
        return (path, 0, 0, refusal.message)
    return (span.source.path, span.source.line_offset, span.start, refusal.message)


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_MESSAGE else f"{text[: MAX_MESSAGE - 100]} … {text[-90:]}"
