"""The fenced blocks of a page, with what the comments before them say.

In: a Markdown file. Out: its blocks in order. Comments right before a block say how the tests take it:

    <!-- file: shop/_index.yaml -->   it is written there, in the page's folder
    <!-- network: reason -->          it is run only where WIPPYWASM_TEST_NETWORK is set
    <!-- if: command -->              it is run only where this shell command succeeds
    <!-- not run: reason -->          it can't be run
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^ *```(.*)$")
NOTE = re.compile(r"^ *<!-- (file|network|if|not run): (.+) -->$")


@dataclass(frozen=True)
class Block:
    """A fenced block: where it begins, its language, its text, and the notes before it, by their words."""

    page: Path
    line: int
    language: str
    text: str
    notes: Mapping[str, str]

    @property
    def place(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks_of(page: Path) -> Iterator[Block]:
    """The blocks of `page`; `ValueError` for a fence that nothing closes."""
    lines = iter(enumerate(page.read_text().splitlines(), start=1))
    notes: dict[str, str] = {}
    for number, line in lines:
        if fence := FENCE.match(line):
            yield Block(page, number, fence[1].strip(), body_of(lines, f"{page.name}:{number}"), notes)
        if found := NOTE.match(line):
            notes = {**notes, found[1]: found[2]}
        elif line.strip():
            notes = {}


def body_of(lines: Iterator[tuple[int, str]], place: str) -> str:
    body: list[str] = []
    for _, line in lines:
        if FENCE.match(line):
            indent = min((len(text) - len(text.lstrip()) for text in body if text.strip()), default=0)
            return "".join(f"{text[indent:]}\n" for text in body)
        body.append(line)
    raise ValueError(f"{place}: this block has no end")
