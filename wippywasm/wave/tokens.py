"""Text to tokens.

In: text. Out: tokens, one at a time, with their places; `WaveSyntaxError` for what is none.

Spec: WAVE, "Whitespace", "Comments", "Keywords", "Labels".
"""

from __future__ import annotations

import re

from wippywasm.dataclass import dataclass
from wippywasm.errors import WaveSyntaxError

_SPACE = re.compile(r"(?:[ \t\r\n]|//[^\n]*)*")
_TOKEN = re.compile(
    r'(?P<multiline>"""(?:[^"\\]|\\.|"(?!""))*""")'
    r'|(?P<string>"(?:[^"\\\n]|\\.)*")'
    r"|(?P<char>'(?:[^'\\\n]|\\u\{[^}'\n]*\}|\\.)')"
    r"|(?P<number>-inf\b|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![0-9A-Za-z_.]))"
    r"|(?P<label>%?[A-Za-z][A-Za-z0-9]*(?:-[A-Za-z0-9]+)*)"
    r"|(?P<mark>[][(){},:])",
    re.DOTALL,
)
KEYWORDS = frozenset(("true", "false", "inf", "nan", "some", "none", "ok", "err"))
"""Cases of these names are written with a `%`."""
_SHOWN = 40


@dataclass(frozen=True)
class Token:
    """`kind` is a name of the pattern's groups, or `end`."""

    kind: str
    text: str
    start: int

    @property
    def words(self) -> str:
        """What it is, for messages."""
        if self.kind == "end":
            return "the end"
        return self.text if len(self.text) <= _SHOWN else f"{self.text[:_SHOWN]}…"


class Tokens:
    """A text and how far it has been read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._position = 0
        self._next: Token | None = None

    def peek(self) -> Token:
        if self._next is None:
            self._next = self._read()
        return self._next

    def take(self) -> Token:
        token = self.peek()
        self._next = None
        return token

    def accept(self, text: str) -> bool:
        """Take the next token if it is this mark or bare word."""
        if self.peek().text != text or self.peek().kind not in ("mark", "label"):
            return False
        self._next = None
        return True

    def _read(self) -> Token:
        space = _SPACE.match(self.text, self._position)
        assert space is not None
        start = space.end()
        if start == len(self.text):
            return Token("end", "", start)
        found = _TOKEN.match(self.text, start)
        if found is None or found.lastgroup is None:
            raise WaveSyntaxError(_fault(self.text[start:]), start, self.text)
        self._position = found.end()
        return Token(found.lastgroup, found.group(), start)


def _fault(rest: str) -> str:
    if rest[0] == '"':
        return "this string has no end"
    if rest[0] == "'":
        return "a char is one character, or an escape, between single quotes"
    if rest[0] == "-" or rest[0].isdigit():
        word = re.match(r"[^\s,)\]}]*", rest)
        return f"{(word.group() if word else rest)[:_SHOWN]!r} is not a number"
    return f"unexpected {rest[0]!r}"
