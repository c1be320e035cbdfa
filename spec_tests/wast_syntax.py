"""Text of a `.wast` file → a tree of parenthesised groups, with positions.

In: text. Out: `Group`s of atoms, strings and groups. Only tokens are told apart here; what a component's text means is
left to the translator. Spec: WebAssembly core, `text/lexical` and the proposal for annotations.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+|;;[^\n]*)
      | (?P<open>\((?!;))
      | (?P<close>\))
      | (?P<string>"(?:[^"\\\x00-\x1f\x7f]|\\.)*")
      | (?P<atom>[$@]"(?:[^"\\\x00-\x1f\x7f]|\\.)*"|(?:[^\s()";]|;(?![;)]))+)
      | (?P<comment>\(;)""",
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"\(;|;\)")
_ESCAPE = re.compile(r"\\(u\{([0-9a-fA-F](?:_?[0-9a-fA-F])*)\}|[0-9a-fA-F]{2}|.)", re.DOTALL)
_SIMPLE_ESCAPES = {"t": b"\t", "n": b"\n", "r": b"\r", '"': b'"', "'": b"'", "\\": b"\\"}


class WastSyntaxError(ValueError):
    """Text that breaks the grammar of scripts; `offset` is where."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


@dataclass(frozen=True)
class Atom:
    """A word: a keyword, a number, a `$name`."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class String:
    """A string literal as it is written. Its `value` is looked at when it is wanted: a bad one is a fault of its
    directive, not of the file."""

    raw: str
    start: int
    end: int

    @property
    def value(self) -> bytes:
        try:
            return unescape(self.raw)
        except ValueError as error:
            raise WastSyntaxError(f"malformed string: {error}", self.start) from error

    @property
    def text(self) -> str:
        try:
            return self.value.decode()
        except UnicodeDecodeError as error:
            raise WastSyntaxError(f"malformed UTF-8 encoding: {error}", self.start) from error


@dataclass
class Group:
    """What stands between parentheses."""

    start: int
    end: int = -1
    items: list[Node] = field(default_factory=list)

    @property
    def head(self) -> str:
        """The leading keyword, or an empty string."""
        return self.items[0].text if self.items and isinstance(self.items[0], Atom) else ""


Node: TypeAlias = "Atom | String | Group"


def parse(text: str) -> list[Group]:
    """All top-level groups of a file, without annotations: to a script these are like space."""
    top = Group(0)
    stack = [top]
    for kind, token, start in tokens(text):
        if kind == "open":
            group = Group(start)
            stack[-1].items.append(group)
            stack.append(group)
        elif kind == "close":
            if len(stack) == 1:
                raise WastSyntaxError("a closing parenthesis without its opening one", start)
            stack[-1].end = start + 1
            if _is_annotation(stack.pop()):
                stack[-1].items.pop()
        elif kind == "string":
            stack[-1].items.append(String(token[1:-1], start, start + len(token)))
        else:
            stack[-1].items.append(Atom(_word(token, start), start, start + len(token)))
    if len(stack) > 1:
        raise WastSyntaxError("a parenthesis is never closed", stack[-1].start)
    return [only_group(item) for item in top.items]


def _is_annotation(group: Group) -> bool:
    """Does a group begin with `(@name`, with nothing between the two?"""
    first = group.items[0] if group.items else None
    if not isinstance(first, Atom) or not first.text.startswith("@") or first.start != group.start + 1:
        return False
    if first.text == "@":
        raise WastSyntaxError("empty annotation id", first.start)
    return True


def _word(token: str, start: int) -> str:
    """A word; `$"name"` is the same as `$name`."""
    return token[0] + String(token[2:-1], start, start + len(token)).text if token[1:2] == '"' else token


def only_group(item: Node) -> Group:
    if not isinstance(item, Group):
        raise WastSyntaxError("expected a parenthesised directive", item.start)
    return item


def tokens(text: str) -> Iterator[tuple[str, str, int]]:
    """Every token that is neither space nor comment: its kind, its text, where it starts."""
    position = 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise WastSyntaxError(f"unexpected character {text[position]!r}", position)
        kind = str(found.lastgroup)
        if kind == "comment":
            position = _end_of_comment(text, position)
            continue
        if kind != "space":
            yield kind, found[0], position
        position = found.end()


def _end_of_comment(text: str, start: int) -> int:
    depth = 0
    for edge in _COMMENT_EDGE.finditer(text, start):
        depth += 1 if edge[0] == "(;" else -1
        if depth == 0:
            return edge.end()
    raise WastSyntaxError("a block comment is never closed", start)


def unescape(text: str) -> bytes:
    """The bytes that a string literal stands for; ValueError where it has an escape that stands for nothing."""
    out, last = bytearray(), 0
    for found in _ESCAPE.finditer(text):
        out += text[last : found.start()].encode()
        last = found.end()
        if found[2] is not None:
            out += _scalar(found[2])
        elif found[1] in _SIMPLE_ESCAPES:
            out += _SIMPLE_ESCAPES[found[1]]
        elif len(found[1]) == 2:
            out.append(int(found[1], 16))
        else:
            raise ValueError(f"there is no escape `{found[0]}`")
    return bytes(out + text[last:].encode())


def _scalar(digits: str) -> bytes:
    number = int(digits, 16)
    if number > 0x10FFFF or 0xD800 <= number < 0xE000:
        raise ValueError(f"U+{number:X} is not a Unicode scalar value")
    return chr(number).encode()


def line_of(text: str, offset: int) -> int:
    """The 1-based line of a position."""
    return bisect_left(_line_ends(text), offset) + 1


@lru_cache(maxsize=4)
def _line_ends(text: str) -> list[int]:
    return [found.start() for found in re.finditer("\n", text)]
