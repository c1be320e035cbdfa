"""Characters to tokens.

In: a `Source`. Out: one token at a time, with the comments before it, so a text that is refused early costs no more
than what was read of it. Every step is one match of a regular expression without backtracking: time is linear.

A token's kind is its own text for keywords and operators; `id`, `%id`, `integer`, `literal` and `eof` otherwise.
Spec: `WIT.md`, "Lexical structure"; string literals as in the text format of core WebAssembly.
"""

from __future__ import annotations

import re
from typing import NoReturn

from wippywasm.wit.names import identifier_fault, words
from wippywasm.wit.source import Refusal, Source, Span

KEYWORDS = words(
    "as async bool borrow char constructor enum error-context export f32 f64 flags from func future import include "
    "interface list map option own package record resource result s16 s32 s64 s8 static stream string tuple type "
    "u16 u32 u64 u8 use variant with world _"
)
_TOKEN = re.compile(
    r"[ \t\n]*(?:"  # no repeated group: it would keep a mark for each character
    r"([A-Za-z_][A-Za-z0-9_-]*)"
    r"|(//[^\n]*\n?)"
    r"|(/\*)"
    r"|(->|[=,:.;(){}<>*@+/-])"
    r"|(%(?:[A-Za-z_-][A-Za-z0-9_-]*)?)"
    r"|([0-9]+)"
    r'|(")'
    r"|(\r\n[ \t\n]*))"
)
_WORD, _LINE, _BLOCK, _OPERATOR, _QUOTED, _INTEGER, _STRING, _RETURN = range(1, 9)
_SPACE = re.compile(r"[ \t\n]*")
MAX_SKIPPED = 65_536
"""Characters without anything that could start an item, after which a text is given up."""

COMMENT_EDGE = re.compile(r"/\*|\*/")
_BIDI = "\u202a-\u202e\u2066-\u2069"
_DISCOURAGED = "\u0149\u0673\u0f77\u0f79\u17a3\u17a4\u17b4\u17b5"
_SURROGATES = "\ud800-\udfff"
FORBIDDEN = re.compile(rf"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f{_BIDI}{_DISCOURAGED}{_SURROGATES}]")
_STRING_RUN = re.compile(r'[^"\\\x00-\x1f\x7f]*')
_ESCAPES = {'"': b'"', "'": b"'", "t": b"\t", "n": b"\n", "r": b"\r", "\\": b"\\"}
_HEX_DIGIT = re.compile(r"[0-9a-fA-F]")
_HEX_NUMBER = re.compile(r"\{([0-9a-fA-F][0-9a-fA-F_]*)")
_NINE_DIGITS = re.compile(r"[0_]*(?:[0-9a-fA-F]_*){8}[0-9a-fA-F]")
_WORD_RUN = re.compile(r"[\w-]+")
_SKIP = re.compile(r"[^/{};\w%\"]+")


def describe(kind: str) -> str:
    """How a message names a kind of token."""
    names = {"id": "an identifier", "%id": "a `%` identifier", "integer": "an integer", "literal": "a string literal"}
    if kind in names:
        return names[kind]
    if kind == "eof":
        return "the end of the file"
    return f"the keyword `{kind}`" if kind in KEYWORDS else f"`{kind}`"


class Lexer:
    """A cursor over tokens: `kind`, `start` and `end` are of the current one, `comments` stood before it."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = source.text
        self.depth = 0
        """How many braces are open before the current token."""
        self._fault: Refusal | None = None
        self._resume = 0
        """Where to go on after a fault that nothing can follow: looking again would cost the square of the text."""
        self._check_characters()
        self.end = 1 if self.text.startswith("\ufeff") else 0
        self.kind = ""
        self.comments: list[tuple[int, int]] = []
        self.value = ""
        """The value of the current token, if that is a string."""
        self.advance()

    def _check_characters(self) -> None:
        found = FORBIDDEN.search(self.text)
        if not found:
            return
        code = f"U+{ord(found[0]):04X}"
        if found[0] in _DISCOURAGED:
            self._refuse(found.start(), f"{code} is discouraged by Unicode")
        if "\ud800" <= found[0] <= "\udfff":
            self._refuse(found.start(), f"{code} is half of a surrogate pair")
        if ord(found[0]) > 0x2000:
            self._refuse(found.start(), f"{code} changes the direction of text, so what is seen is not what is read")
        self._refuse(found.start(), f"{code} is a control character")

    def _refuse(self, at: int, message: str) -> NoReturn:
        raise Refusal(Span(self.source, at, at + 1), message)

    def span(self) -> Span:
        return Span(self.source, self.start, self.end)

    def mark(self) -> tuple[str, int, int, list[tuple[int, int]], int, Refusal | None]:
        """The cursor's state, for `reset`."""
        return (self.kind, self.start, self.end, self.comments, self.depth, self._fault)

    def reset(self, mark: tuple[str, int, int, list[tuple[int, int]], int, Refusal | None]) -> None:
        self.kind, self.start, self.end, self.comments, self.depth, self._fault = mark

    def advance(self) -> None:
        """Moves to the next token. A lexical fault is kept until `fail` or `expect` meets it."""
        if self.kind == "{":
            self.depth += 1
        elif self.kind == "}" and self.depth:
            self.depth -= 1
        if self.comments:
            self.comments = []
        found = _TOKEN.match(self.text, self.end)
        group = found and found.lastindex
        if found and group == _OPERATOR:
            self.kind = found[_OPERATOR]
            self.start, self.end = found.span(_OPERATOR)
        elif found and group == _WORD and self.text[found.end() : found.end() + 1] <= "\x7f":
            word = found[_WORD]
            self.kind = word if word in KEYWORDS else "id"
            self.start, self.end = found.span(_WORD)
        else:
            self._advance_rare()

    def _advance_rare(self) -> None:
        """The same with comments, and with tokens that are not looked for first."""
        self.comments = []
        try:
            self._scan(self.end)
        except Refusal as refusal:
            self._fault, self.kind = refusal, "fault"
            self.start = refusal.span.start if refusal.span else self.end
            self.end = self._resume or self.start + 1

    def _scan(self, at: int) -> None:
        while True:
            found = _TOKEN.match(self.text, at)
            if not found or found.lastindex is None:
                space = _SPACE.match(self.text, at)
                self._scan_rare(space.end() if space else at)
                return
            group = found.lastindex
            start, at = found.span(group)
            if group == _BLOCK:
                at = self._block_comment(start)
            if group in (_BLOCK, _LINE):
                self.comments.append((start, at))
            elif group != _RETURN:
                self._take(group, start, at)
                return

    def _take(self, group: int, at: int, end: int) -> None:
        if group in (_WORD, _QUOTED):
            if end < len(self.text) and self.text[end] > "\x7f":
                end = self._word_end(end)
            word = self.text[at:end]
            self.kind = "%id" if group == _QUOTED else word if word in KEYWORDS else "id"
        elif group == _OPERATOR:
            self.kind = self.text[at:end]
        elif group == _STRING:
            self.value, end = self._string(at + 1)
            self.kind = "literal"
        else:
            self.kind = "integer"
        self.start, self.end = at, end

    def _scan_rare(self, at: int) -> None:
        """The end of the text, or a character that no ASCII token starts with."""
        if at >= len(self.text):
            self.kind, self.start, self.end = "eof", len(self.text), len(self.text)
        elif self.text[at].isidentifier():
            self.kind, self.start, self.end = "id", at, self._word_end(at + 1)
        else:
            self._refuse(at, f"unexpected character {self.text[at]!r}")

    def _word_end(self, at: int) -> int:
        """Where the word that `at` is in ends, beyond ASCII."""
        run = _WORD_RUN.match(self.text, at)
        if run and ("a" + run[0].replace("-", "a")).isidentifier():
            return run.end()
        while at < len(self.text) and (self.text[at] == "-" or ("a" + self.text[at]).isidentifier()):
            at += 1
        return at

    def _block_comment(self, start: int) -> int:
        depth, at = 1, start + 2
        while depth:
            edge = COMMENT_EDGE.search(self.text, at)
            if not edge:
                self._resume = len(self.text)
                self._refuse(start, "this block comment is never closed")
            depth += 1 if edge[0] == "/*" else -1
            at = edge.end()
        return at

    def _string(self, at: int) -> tuple[str, int]:
        """The value of the string literal whose first character is at `at`, and where it ends."""
        start, value = at, bytearray()
        while True:
            run = _STRING_RUN.match(self.text, at)
            assert run is not None
            value += run[0].encode("utf-8")
            at = run.end()
            ch = self.text[at : at + 1]
            if ch == '"':
                break
            if ch != "\\":
                self._refuse(at, f"a string can't contain {ch!r}; escape it" if ch else "this string is never closed")
            at = self._escape(at + 1, value)
        try:
            return value.decode("utf-8"), at + 1
        except UnicodeDecodeError as error:
            self._refuse(start - 1, f"the bytes of this string are not UTF-8: {error.reason}")

    def _escape(self, at: int, value: bytearray) -> int:
        """Adds what the escape behind a backslash stands for; where the escape ends."""
        ch = self.text[at : at + 1]
        if ch in _ESCAPES:
            value += _ESCAPES[ch]
            return at + 1
        if ch == "u":
            return self._unicode_escape(at, value)
        if not _HEX_DIGIT.match(ch):
            self._refuse(at, f"unknown escape {ch!r}; use \\n, \\t, \\r, \\\", \\', \\\\, \\hh or \\u{{hex}}")
        if not _HEX_DIGIT.match(self.text, at + 1):
            self._refuse(at + 1, "an escape of a byte has two hexadecimal digits")
        value.append(int(self.text[at : at + 2], 16))
        return at + 2

    def _unicode_escape(self, at: int, value: bytearray) -> int:
        """`u{hex}`, with `_` between digits."""
        message = "a character's escape is \\u{hex}, with `_` between digits"
        number = _HEX_NUMBER.match(self.text, at + 1)
        if not number:
            self._refuse(at + 1 + self.text.startswith("{", at + 1), message)
        if too_long := _NINE_DIGITS.match(self.text, at + 2):
            self._refuse(too_long.end() - 1, "a character's number has at most six digits")
        end = number.end()
        if number[1].endswith("_") or end == len(self.text):
            self._refuse(at + 2 if end < len(self.text) else end, message)
        code = int(number[1].replace("_", ""), 16)
        if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
            self._refuse(at, f"U+{code:X} is not a Unicode scalar value")
        if self.text[end] != "}":
            self._refuse(end, message)
        value += chr(code).encode("utf-8")
        return end + 1

    def at(self, kind: str) -> bool:
        return self.kind == kind

    def eat(self, kind: str) -> bool:
        """Moves past the current token if it is of `kind`."""
        if self.kind != kind:
            return False
        self.advance()
        return True

    def expect(self, kind: str) -> None:
        """Moves past the current token, which has to be of `kind`."""
        if self.kind != kind:
            self.fail(describe(kind))
        self.advance()

    def take(self, kind: str) -> Span:
        """Likewise; where it was."""
        span = Span(self.source, self.start, self.end)
        self.expect(kind)
        return span

    def fail(self, expected: str, hint: str | None = None) -> NoReturn:
        """Refuses the current token."""
        if self._fault is not None:
            fault, self._fault = self._fault, None
            raise fault
        raise Refusal(self.span(), f"expected {expected}, found {describe(self.kind)}", hint)

    def identifier(self) -> tuple[str, Span]:
        """Moves past an identifier, which has to follow the rules for names."""
        if self.kind != "id" and self.kind != "%id":
            keyword = self.kind in KEYWORDS
            self.fail("an identifier", f"write `%{self.kind}` to use the keyword as a name" if keyword else None)
        span = Span(self.source, self.start, self.end)
        name = self.text[self.start + (self.kind == "%id") : self.end]
        if fault := identifier_fault(name):
            raise Refusal(Span(self.source, span.start, span.start + 1), fault)
        self.advance()
        return name, span

    def give_up(self) -> None:
        """Moves to the end of the text."""
        self._fault = None
        self.end = len(self.text)
        self.advance()

    def skip_to(self, depth: int, kinds: frozenset[str]) -> None:
        """After a refusal: moves to the next token of `kinds` outside all braces but `depth`, or to a line behind `}`.

        Where there is none nearby it moves to the end: what follows would not be told from noise.
        """
        last, is_behind_brace = self.end + MAX_SKIPPED, False
        while self.kind != "eof":
            if self.end > last:
                self.end = len(self.text)
            elif self.depth < depth or self._may_start_an_item(depth, kinds, is_behind_brace=is_behind_brace):
                return
            is_behind_brace = self.kind == "}"
            self._fault = None
            run = _SKIP.match(self.text, self.end)
            if run:
                self.end = run.end()
            self.advance()

    def _may_start_an_item(self, depth: int, kinds: frozenset[str], *, is_behind_brace: bool) -> bool:
        """A keyword in the middle of a line rather belongs to what was refused."""
        if self.depth != depth:
            return False
        if self.kind in kinds and self.kind in ";}":
            return True
        return (is_behind_brace or self.kind in kinds) and self.starts_a_line()

    def starts_a_line(self) -> bool:
        """Whether nothing but space stands before the current token in its line."""
        at = self.start
        while at and self.text[at - 1] in " \t\r":
            at -= 1
        return at == 0 or self.text[at - 1] == "\n"
