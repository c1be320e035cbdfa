"""Expressions of policies: `actor.meta.role == "editor" && action in ["read", "write"]`.

In: the text of an expression. Out: whether it holds for a request. Values compare as in conditions; a field that is not
there equals `nil` alone, and two of them can't be compared. Spec: SPEC section 10.

    or          and ("||" and)*                also `or`
    and         not ("&&" not)*                also `and`
    not         "!" not | comparison           also `not`
    comparison  term (operator term)?          == != < <= > >= in, not in, contains, startsWith, endsWith, matches
    term        field | text | number | true | false | nil | [term, …] | ( or )
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, NoReturn, TypeAlias

from wippywasm.app.security.operators import OPERATORS, UndecidableError, equal
from wippywasm.app.security.regex import Regex, RegexSyntaxError
from wippywasm.app.security.request import FIELDS, MISSING, FieldPath, Request
from wippywasm.app.suggest import listing
from wippywasm.dataclass import dataclass

MAX_TEXT = 4096
MAX_DEPTH = 50

Value: TypeAlias = Callable[[Request], Any]
_TOKEN = re.compile(
    r"""\s*(?:(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_][\w-]*)*)|(?P<number>-?\d{1,300}(?:\.\d{1,300})?)
    |"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>(?:[^'\\]|\\.)*)'
    |(?P<mark>\|\||&&|==|!=|<=|>=|[<>!()\[\],]))""",
    re.VERBOSE | re.ASCII,
)
_NIL = object()
"""What the word says, beside a field that is not there."""
_WORDS: Mapping[str, Any] = {"true": True, "false": False, "nil": _NIL, "null": _NIL}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


class ExpressionError(ValueError):
    """A text that is no expression; `at` is the character, from 0."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(f"{message}, at character {at + 1}")


@dataclass(frozen=True)
class Expression:
    """One expression, parsed."""

    text: str
    value: Value

    @classmethod
    def parse(cls, text: str) -> Expression:
        """Raises ExpressionError."""
        if len(text) > MAX_TEXT:
            raise ExpressionError(f"an expression has at most {MAX_TEXT} characters", MAX_TEXT)
        parser = _Parser(text)
        value = parser.either()
        if parser.token.kind:
            parser.fail("expected the end, or an operator")
        return cls(text, value)

    def holds(self, request: Request) -> bool:
        """Whether it holds; raises UndecidableError for values that can't be compared."""
        return _truth(self.value(request))


class _Token(NamedTuple):
    """`kind` is empty at the end; `known` is what a text or a number says."""

    kind: str
    text: str
    at: int
    known: Any = None


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self.token = self._next()

    def fail(self, message: str) -> NoReturn:
        raise ExpressionError(message, self.token.at)

    def either(self) -> Value:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self.fail(f"nested deeper than {MAX_DEPTH} levels")
        values = [self._both()]
        while self._takes("||", "or"):
            values.append(self._both())
        self._depth -= 1
        return values[0] if len(values) == 1 else lambda request: any(_truth(value(request)) for value in values)

    def _both(self) -> Value:
        values = [self._not()]
        while self._takes("&&", "and"):
            values.append(self._not())
        return values[0] if len(values) == 1 else lambda request: all(_truth(value(request)) for value in values)

    def _not(self) -> Value:
        is_negated = False
        while self._takes("!", "not"):
            is_negated = not is_negated
        value = self._comparison()
        return _negated(value) if is_negated else value

    def _comparison(self) -> Value:
        value = self._term()
        if self._takes("not"):
            if not self._takes("in"):
                self.fail("expected 'in'")
            return _negated(_compared("in", value, self._term()))
        for name in _COMPARE:
            if self._takes(name):
                return _compared(name, value, self._term())
        if self._takes("matches"):
            return _matched(value, self._pattern())
        return value

    def _term(self) -> Value:
        token = self.token
        if token.kind in ("text", "number") or token.text in _WORDS:
            self.token = self._next()
            return _constant(token.known if token.kind != "name" else _WORDS[token.text])
        if self._takes("("):
            return self._closed(self.either(), ")")
        if self._takes("["):
            return self._list()
        path = FieldPath.parse(token.text) if token.kind == "name" else None
        if path is None:
            self.fail(f"expected a value or a field: {listing(FIELDS)}")
        self.token = self._next()
        return path.of

    def _list(self) -> Value:
        items: list[Value] = []
        while not self._takes("]"):
            if items and not self._takes(","):
                self.fail("expected ',' or ']'")
            items.append(self._term())
        return lambda request: [item(request) for item in items]

    def _pattern(self) -> Regex:
        token = self.token
        if token.kind != "text":
            self.fail("a pattern is a text")
        try:
            regex = Regex(token.known)
        except RegexSyntaxError as error:
            self.fail(f"not a pattern: {error}")
        self.token = self._next()
        return regex

    def _closed(self, value: Value, mark: str) -> Value:
        if not self._takes(mark):
            self.fail(f"expected '{mark}'")
        return value

    def _takes(self, *texts: str) -> bool:
        """Whether the next token is one of some marks or words, which is taken then."""
        if self.token.kind not in ("mark", "name") or self.token.text not in texts:
            return False
        self.token = self._next()
        return True

    def _next(self) -> _Token:
        found = _TOKEN.match(self._text, self._at)
        if found is None:
            rest = self._text[self._at :].lstrip()
            at = len(self._text) - len(rest)
            if rest:
                raise ExpressionError(f"expected no {rest[0]!r}", at)
            return _Token("", "", at)
        self._at = found.end()
        kind, text = found.lastgroup or "", found[found.lastgroup or 0]
        at = found.start(kind)
        if kind == "number":
            return _Token(kind, text, at, float(text) if "." in text else int(text))
        if kind in ("double", "single"):
            return _Token("text", "", at, re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), text, flags=re.DOTALL))
        return _Token(kind, text, at)


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise UndecidableError("what is neither true nor false decides nothing")
    return value


def _constant(value: Any) -> Value:
    return lambda request: value


def _negated(value: Value) -> Value:
    return lambda request: not _truth(value(request))


def _matched(value: Value, pattern: Regex) -> Value:
    return lambda request: OPERATORS["matches"](value(request), pattern)


def _compared(name: str, one: Value, other: Value) -> Value:
    compare = _COMPARE[name]
    return lambda request: compare(one(request), other(request))


def _same(one: Any, other: Any) -> bool:
    if one is _NIL or other is _NIL:
        return one in (_NIL, MISSING) and other in (_NIL, MISSING)
    if one is MISSING and other is MISSING:
        raise UndecidableError("of two fields that are not there nobody knows whether they are the same")
    return MISSING not in (one, other) and equal(one, other)


def _texts(holds: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    def compare(one: Any, other: Any) -> bool:
        if not isinstance(one, str) or not isinstance(other, str):
            raise UndecidableError("only texts start and end")
        return holds(one, other)

    return compare


_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": _same,
    "!=": lambda one, other: not _same(one, other),
    "<": OPERATORS["lt"],
    "<=": OPERATORS["lte"],
    ">": OPERATORS["gt"],
    ">=": OPERATORS["gte"],
    "in": OPERATORS["in"],
    "contains": OPERATORS["contains"],
    "startsWith": _texts(str.startswith),
    "endsWith": _texts(str.endswith),
}
