"""Documentation to the comments that say it.

In: the text of an item's documentation. Out: comments, each a line or a block, out of which `docs.documentation` makes
the same text again. Most texts are `///` lines. Others need blocks, since only a block keeps space at the end of a
line, and an indentation that is not the smallest one of all comments, which is taken away: these are searched for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import NamedTuple

from wippywasm.wit.docs import ASCII_SPACE, documentation
from wippywasm.wit.lexer import COMMENT_EDGE, FORBIDDEN

MAX_TRIED = 50
"""Steps that a search may take for each line of a text."""
MOST_TRIED = 100_000
"""Steps that all searches for one package may take: a tenth of a second."""
MOST_LINES = 3_000
"""Those of a text that is searched: each takes half a kilobyte."""
_STEP = 100
"""The characters that are looked at in one step."""
_PLAIN_BLOCK = re.compile(r"/\*(?!\*)")
MAX_INDENTS = 8
"""Indentations that are tried."""
_SPACE_AT_END = re.compile(r"[^\S\n](?:\n|\Z)")
_NOT_INDENTED = re.compile(rf"^[^{ASCII_SPACE}]", re.MULTILINE)


class Comments:
    """Comments for the documentation of one package."""

    def __init__(self) -> None:
        self._left = MOST_TRIED

    def of(self, docs: str, indent: str = "") -> str:
        """Comments whose documentation is `docs`, as plain ones as there are, each behind `indent`.

        Characters that no WIT text may have become U+FFFD. Text that no comments have, which only a binary brings, or
        that takes too long to be searched, comes back with another indentation or without the space at its end.
        """
        docs = FORBIDDEN.sub("\ufffd", docs)
        if docs != docs.rstrip() or _is_plain(docs):  # no documentation has space at its end
            return _plain(docs, indent)
        found = next((found for found in self._candidates(docs) if found and _say(found, docs)), None)
        return _plain(docs, indent) if found is None else "\n".join([indent + comment for comment in found])

    def _candidates(self, docs: str) -> Iterator[list[str] | None]:
        yield [f"/**{docs}*/"]
        lines = docs.split("\n")
        if len(lines) > MOST_LINES:
            return
        search = _Search(lines, min(MAX_TRIED * (len(lines) + 1), self._left))
        for indent in search.indents():
            before = search.budget
            found = search.run(indent)
            self._left -= before - search.budget
            yield found


def _plain(docs: str, indent: str) -> str:
    """A `///` comment for each line."""
    text = f"{indent}/// " + docs.replace("\n", f"\n{indent}/// ")
    return text.replace("/// \n", "///\n").removesuffix(" ")


def _is_plain(docs: str) -> bool:
    """Whether `///` and a space before each line say it."""
    return not _SPACE_AT_END.search(docs) and (not docs or _NOT_INDENTED.search(docs) is not None)


def _say(comments: Iterable[str], docs: str) -> bool:
    return documentation(comments) == docs and all(map(_is_comment, comments))


def _is_comment(text: str) -> bool:
    """Whether `text` is one comment, to its end."""
    if not text.startswith("/*"):
        return text.startswith("//") and "\n" not in text
    depth = 0
    for edge in COMMENT_EDGE.finditer(text):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end() == len(text)
    return False


class _Step(NamedTuple):
    """One comment: which line follows it, and whether its indentation is the smallest one."""

    text: str
    next: int
    is_smallest: bool


class _Search:
    """Ways to cut lines into comments, all but empty ones indented by at least `indent`, and one by no more.

    That indentation is taken away, unless it is not all spaces.
    """

    def __init__(self, lines: list[str], budget: int) -> None:
        self.lines = lines
        self.budget = budget

    @cached_property
    def _leads(self) -> list[int]:
        """How much space a comment has at its beginning that starts with this line, through empty ones."""
        found = [0]
        for line in reversed(self.lines):
            text = line.lstrip(ASCII_SPACE)
            found.append(len(line) - len(text) if text else len(_ended(line)) + found[-1])
        return found[:0:-1]

    def indents(self) -> list[int]:
        """Those that are worth a try: 1 does for all comments that can be moved."""
        return sorted({0, 1, *self._leads})[:MAX_INDENTS]

    def run(self, indent: int) -> list[str] | None:
        """Comments from the first line to the last one, found depth first; None if there are none."""
        path: list[_Step] = []
        smallest = [False]
        pending = [self._steps(0, indent)]
        failed: set[tuple[int, bool]] = set()
        while pending and self.budget > 0:
            self.budget -= 1
            step = next(pending[-1], None)
            if step is None:
                pending.pop()
                failed.add((path.pop().next if path else 0, smallest.pop()))
                continue
            state = (step.next, smallest[-1] or step.is_smallest)
            if step.next == len(self.lines) and state[1]:
                return [*(s.text for s in path), step.text]
            if step.next < len(self.lines) and state not in failed:
                path.append(step)
                smallest.append(state[1])
                pending.append(self._steps(step.next, indent))
        return None

    def _steps(self, at: int, indent: int) -> Iterator[_Step]:
        """The comments that may begin with line `at`."""
        line = self.lines[at]
        if not line:
            yield _Step("///", at + 1, False)
        is_verbatim = self._leads[at] == indent and not (indent and line.startswith(" " * indent))
        padding, is_smallest = "" if is_verbatim else " " * indent, is_verbatim or not self._leads[at]
        if line and line == line.rstrip() and not (padding + line).startswith("/"):
            yield _Step(f"///{padding}{line}", at + 1, is_smallest)
        for end, text in self._blocks(at, padding):
            if _is_comment(text):
                yield _Step(text, end, is_smallest)

    def _blocks(self, at: int, padding: str) -> Iterator[tuple[int, str]]:
        body = padding
        for end in range(at, len(self.lines)):
            line = self.lines[end]
            if line and line == line.rstrip():
                self.budget -= len(body) // _STEP + 1
                yield end + 1, f"/**{body}{line} */"
                if _PLAIN_BLOCK.match(f"/{body}{line}") and line.endswith("*/"):
                    yield end + 1, f"/{body}{line}"
            self.budget -= 1
            if self.budget < 0:
                return
            body += _ended(line)


def _ended(line: str) -> str:
    """The line in a block; the last carriage return before its end is not part of it."""
    return line + "\r\n" if line.endswith("\r") else line + "\n"
