"""Keywords for numbers.

In: a keyword of a schema. Out: its check. Spec: JSON Schema 2020-12, validation section 6.2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from math import inf, isfinite
from typing import TYPE_CHECKING, Any

from wippywasm.app.json_schema.problems import Place, Problem
from wippywasm.app.json_schema.run import Check, Run
from wippywasm.app.json_values.words import got_words

if TYPE_CHECKING:
    from wippywasm.app.json_schema.compiler import Make, Part


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _limit(words: str, fits: Callable[[Any, Any], bool]) -> Make:
    def make(part: Part) -> Check | None:
        limit = part.value
        if isinstance(limit, bool) and part.name.startswith("exclusive"):
            return _older(part)
        if not is_number(limit):
            raise part.error("a number")

        def check(value: Any, at: Place, run: Run) -> Iterator[Problem]:
            if is_number(value) and not fits(value, limit):
                yield Problem(at, f"expected a number {words} {limit}, got {got_words(value)}")

        return check

    return make


def _older(part: Part) -> Check | None:
    """Draft 4 has `exclusiveMinimum: true` beside `minimum`."""
    name = part.name.removeprefix("exclusive").lower()
    limit = part.beside(name, None)
    if not part.value or not is_number(limit):
        return None

    def check(value: Any, at: Place, run: Run) -> Iterator[Problem]:
        if is_number(value) and value == limit:
            yield Problem(at, f"{limit} itself is out of bounds")

    return check


def _multiple_of(part: Part) -> Check:
    if not is_number(part.value) or not 0 < part.value < inf:
        raise part.error("a number above 0")
    step = _exact(part.value)

    def check(value: Any, at: Place, run: Run) -> Iterator[Problem]:
        if is_number(value) and not (isfinite(value) and (_exact(value) / step).denominator == 1):
            yield Problem(at, f"expected a multiple of {part.value}, got {got_words(value)}")

    return check


def _exact(number: int | float) -> Fraction:
    """The number as it is written: 0.3 is three times 0.1."""
    return Fraction(number) if isinstance(number, int) else Fraction(Decimal(repr(number)))


MAKERS: Mapping[str, Make] = {
    "minimum": _limit("of at least", lambda value, limit: bool(value >= limit)),
    "maximum": _limit("of at most", lambda value, limit: bool(value <= limit)),
    "exclusiveMinimum": _limit("above", lambda value, limit: bool(value > limit)),
    "exclusiveMaximum": _limit("below", lambda value, limit: bool(value < limit)),
    "multipleOf": _multiple_of,
}
