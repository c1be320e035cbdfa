"""Text of a pattern to its tree.

In: `a.b`, `[a-z_]`, `\\d \\w \\s` and their opposites, `^ $ \\A \\z`, `(…) (?:…) (?P<name>…) (?i) (?s)`,
`| * + ? {n,m}`. Out: nodes, or `RegexSyntaxError`. What would need going back (references, look-around) does not exist.
"""

from __future__ import annotations

import re

from wippywasm.app.security.regex.charset import DIGITS, LAST, SPACE, WORD, Charset, Range, complement
from wippywasm.app.security.regex.nodes import Begin, Choice, End, Node, Repeat, Sequence

MAX_PATTERN = 1000
MAX_DEPTH = 50
MAX_COUNT = 1000

_COUNTS = re.compile(r"\{(\d{1,4})(?:(,)(\d{0,4}))?\}")
_GROUP = re.compile(r"\?(?:P?<[A-Za-z_]\w*>|([is]*):|([is]+)\))", re.ASCII)
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "a": "\a"}
_CLASSES = {"d": DIGITS, "w": WORD, "s": SPACE}


class RegexSyntaxError(ValueError):
    """A pattern that is none, or that asks for what there is not; `at` is the character, from 0."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(f"{message}, at character {at + 1}")
        self.at = at


def parse(pattern: str) -> Node:
    """The tree of a pattern; raises RegexSyntaxError."""
    if len(pattern) > MAX_PATTERN:
        raise RegexSyntaxError(f"a pattern has at most {MAX_PATTERN} characters", MAX_PATTERN)
    parser = _Parser(pattern)
    node = parser.choice()
    if parser.at < len(pattern):
        raise parser.error("there is no '(' for this ')'")
    return node


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self.at = 0
        self._depth = 0
        self._folds = False
        self._dot_all = False

    def error(self, message: str) -> RegexSyntaxError:
        return RegexSyntaxError(message, self.at)

    def _peek(self) -> str:
        return self._text[self.at : self.at + 1]

    def _take(self, wanted: str) -> bool:
        if not self._text.startswith(wanted, self.at):
            return False
        self.at += len(wanted)
        return True

    def _next(self, what: str) -> str:
        char = self._peek()
        if not char:
            raise self.error(f"the pattern ends in {what}")
        self.at += 1
        return char

    def choice(self) -> Node:
        """What stands between brackets, or the whole; flags set inside hold to its end."""
        before = self._folds, self._dot_all
        items = [self._sequence()]
        while self._take("|"):
            items.append(self._sequence())
        self._folds, self._dot_all = before
        return items[0] if len(items) == 1 else Choice(tuple(items))

    def _sequence(self) -> Node:
        items: list[Node] = []
        while self._peek() not in ("", "|", ")"):
            items.append(self._repeated())
        return Sequence(tuple(items))

    def _repeated(self) -> Node:
        start = self.at
        node = self._atom()
        counts = self._counts()
        while counts is not None:
            if start == self.at:
                raise self.error("there is nothing to repeat")
            node = Repeat(node, *counts)
            self._take("?")  # how much it takes first decides nothing here
            if (counts := self._counts()) is not None:
                raise self.error("it is repeated already: put it in brackets")
        return node

    def _counts(self) -> tuple[int, int | None] | None:
        for sign, counts in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._take(sign):
                return counts
        found = _COUNTS.match(self._text, self.at)
        if found is None:
            return None
        least = int(found[1])
        most = least if found[2] is None else int(found[3]) if found[3] else None
        if max(least, most or 0) > MAX_COUNT or (most is not None and most < least):
            raise self.error(f"a count is at most {MAX_COUNT}, and the second at least the first")
        self.at = found.end()
        return least, most

    def _atom(self) -> Node:
        char = self._peek()
        if char in ("*", "+", "?"):
            raise self.error("there is nothing to repeat")
        self.at += 1
        match char:
            case "(":
                return self._group()
            case "[":
                return self._set()
            case ".":
                return Charset(() if self._dot_all else (("\n", "\n"),), negated=True)
            case "^":
                return Begin()
            case "$":
                return End()
            case "\\":
                return self._escape()
        return self._one(char)

    def _one(self, char: str) -> Charset:
        return Charset(((char, char),), folds=self._folds)

    def _group(self) -> Node:
        folds, dot_all = self._folds, self._dot_all
        if self._peek() == "?":
            found = _GROUP.match(self._text, self.at)
            if found is None:
                raise self.error("brackets are (…), (?:…), (?P<name>…), (?i:…) or (?s:…); nothing looks around")
            self.at = found.end()
            flags = found[1] or found[2] or ""
            self._folds, self._dot_all = folds or "i" in flags, dot_all or "s" in flags
            if found[2]:
                return Sequence(())  # flags for the rest of the brackets that it stands in
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self.error(f"brackets are nested more than {MAX_DEPTH} deep")
        node = self.choice()
        if not self._take(")"):
            raise self.error("a '(' is not closed")
        self._depth -= 1
        self._folds, self._dot_all = folds, dot_all
        return node

    def _escape(self) -> Node:
        char = self._next("a backslash")
        if char == "A":
            return Begin()
        if char in "zZ":
            return End()
        ranges = self._class(char)
        return Charset(ranges) if ranges is not None else self._one(self._escaped(char))

    def _class(self, char: str) -> tuple[Range, ...] | None:
        ranges = _CLASSES.get(char.lower())
        return complement(ranges) if ranges is not None and char.isupper() else ranges

    def _escaped(self, char: str) -> str:
        if char in _CONTROLS:
            return _CONTROLS[char]
        if char == "x":
            return self._hexadecimal()
        if char.isalnum():
            raise self.error(f"there is no '\\{char}' here: references and word boundaries do not exist")
        return char

    def _hexadecimal(self) -> str:
        found = re.compile(r"\{([0-9A-Fa-f]{1,6})\}|([0-9A-Fa-f]{2})").match(self._text, self.at)
        code = int(found[1] or found[2], 16) if found else -1
        if found is None or code > ord(LAST):
            raise self.error("a character's number is \\x41 or \\x{1F600}")
        self.at = found.end()
        return chr(code)

    def _set(self) -> Charset:
        negated = self._take("^")
        ranges: list[Range] = []
        is_first = True
        while is_first or not self._take("]"):
            ranges += self._set_item()
            is_first = False
        return Charset(tuple(ranges), negated, self._folds)

    def _set_item(self) -> tuple[Range, ...]:
        if self._text.startswith("[:", self.at):
            raise self.error("classes such as [:alpha:] do not exist here: write a-zA-Z")
        char = self._next("a set: a ']' is missing")
        if char == "\\":
            char = self._next("a backslash")
            ranges = self._class(char)
            if ranges is not None:
                return ranges
            char = self._escaped(char)
        last = self._range_end(char)
        return ((char, last),)

    def _range_end(self, first: str) -> str:
        if self._peek() != "-" or self._text[self.at + 1 : self.at + 2] in ("", "]"):
            return first
        self.at += 1
        last = self._next("a set")
        if last == "\\":
            last = self._escaped(self._next("a backslash"))
        if last < first:
            raise self.error(f"the range {first}-{last} is the wrong way round")
        return last
