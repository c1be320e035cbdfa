"""Text of a `.wast` file → a tree of parenthesised groups, with positions.

In: text. Out: `Group`s of atoms, strings and groups. Only tokens are told apart here; what a component's text means is
left to the translator. Spec: WebAssembly core, `text/lexical`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+|;;[^\n]*)
      | (?P<open>\((?!;))
      | (?P<close>\))
      | (?P<string>"(?:[^"\\\x00-\x1f]|\\(?:u\{[0-9a-fA-F_]+\}|[0-9a-fA-F]{2}|.))*")
      | (?P<atom>\$"[^"]*"|(?:[^\s()";]|;(?![;)]))+)
      | (?P<comment>\(;)""",
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"\(;|;\)")
_ESCAPE = re.compile(r"\\(u\{([0-9a-fA-F_]+)\}|[0-9a-fA-F]{2}|.)", re.DOTALL)
_SIMPLE_ESCAPES = {"t": b"\t", "n": b"\n", "r": b"\r", '"': b'"', "'": b"'", "\\": b"\\"}


class WastSyntaxError(ValueError):
    """A file that does not split into directives; `offset` is where."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(f"{message} (at character {offset})")
        self.offset = offset


@dataclass(frozen=True)
class Atom:
    """A word: a keyword, a number, a `$name`."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class String:
    """A string literal; `value` is its bytes."""

    value: bytes
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.value.decode()


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
    """All top-level groups of a file."""
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
            stack.pop().end = start + 1
        elif kind == "string":
            stack[-1].items.append(String(unescape(token[1:-1]), start, start + len(token)))
        else:
            stack[-1].items.append(Atom(token.replace('"', ""), start, start + len(token)))
    if len(stack) > 1:
        raise WastSyntaxError("a parenthesis is never closed", stack[-1].start)
    return [only_group(item) for item in top.items]


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
    """The bytes that a string literal stands for."""
    out, last = bytearray(), 0
    for found in _ESCAPE.finditer(text):
        out += text[last : found.start()].encode()
        last = found.end()
        if found[2] is not None:
            out += chr(int(found[2], 16)).encode()
        elif found[1] in _SIMPLE_ESCAPES:
            out += _SIMPLE_ESCAPES[found[1]]
        else:
            out.append(int(found[1], 16))
    return bytes(out + text[last:].encode())


def line_of(text: str, offset: int) -> int:
    """The 1-based line of a position."""
    return text.count("\n", 0, offset) + 1
