"""What conditions compare with.

In: the value of a field, and what it is compared with. Out: whether it holds, or `UndecidableError` where the two can't
be compared. Spec: SPEC section 10.

Numbers are equal by value; a text that is written as a number is one only beside a number. Other values are equal to
their own kind, and `true` to the text `true`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, TypeAlias

from wippywasm.app.security.regex import Regex, TextTooLongError
from wippywasm.app.security.request import MISSING

_NUMBER = re.compile(r"-?\d{1,300}(\.\d{1,300})?([eE][+-]?\d{1,3})?", re.ASCII)


class UndecidableError(Exception):
    """Two values that an operator can't compare; an allow that hangs on it is none, a deny holds."""


Operator: TypeAlias = Callable[[Any, Any], bool]


def equal(value: Any, other: Any) -> bool:
    """Whether two values are the same."""
    if isinstance(value, bool) or isinstance(other, bool):
        return bool(_bool_text(value) == _bool_text(other))
    if isinstance(value, int | float) or isinstance(other, int | float):
        one, two = number(value), number(other)
        return one is not None and one == two
    return bool(_plain(value) == _plain(other))


def number(value: Any) -> int | float | None:
    """The number that a value is, or is written as; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str):
        found = _NUMBER.fullmatch(value)
        return None if found is None else float(value) if found[1] or found[2] else int(value)
    return value


def _bool_text(value: Any) -> Any:
    return ("false", "true")[value] if isinstance(value, bool) else value


def _plain(value: Any) -> Any:
    """Bytes that are text as text, sequences as lists; so that values from Lua, YAML and Python compare."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _ordered(holds: Callable[[Any, Any], bool]) -> Operator:
    def compare(value: Any, other: Any) -> bool:
        one, two = number(value), number(other)
        if one is None or two is None:
            raise UndecidableError("only numbers are less or greater")
        return holds(one, two)

    return compare


def _is_in(value: Any, among: Any) -> bool:
    if isinstance(among, list | tuple | AbstractSet):
        return any(equal(value, item) for item in among)
    if among is MISSING or isinstance(among, Mapping):
        raise UndecidableError("'in' needs a list")
    return equal(value, among)


def _contains(value: Any, part: Any) -> bool:
    if isinstance(value, str) and isinstance(part, str):
        return part in value
    if isinstance(value, list | tuple | AbstractSet):
        return any(equal(item, part) for item in value)
    raise UndecidableError("only a text contains a text, and a list an item")


def _matches(value: Any, pattern: Any) -> bool:
    if not isinstance(value, str) or not isinstance(pattern, Regex):
        raise UndecidableError("only a text matches a pattern")
    try:
        return pattern.found_in(value)
    except TextTooLongError as error:
        raise UndecidableError(str(error)) from None


def _not(operator: Operator) -> Operator:
    return lambda value, other: not operator(value, other)


def _exists(value: Any, wanted: Any) -> bool:
    return (value is not MISSING) == (wanted is not False)


OPERATORS: Mapping[str, Operator] = {
    "eq": equal,
    "ne": _not(equal),
    "lt": _ordered(lambda a, b: a < b),
    "gt": _ordered(lambda a, b: a > b),
    "lte": _ordered(lambda a, b: a <= b),
    "gte": _ordered(lambda a, b: a >= b),
    "in": _is_in,
    "nin": _not(_is_in),
    "exists": _exists,
    "nexists": _not(_exists),
    "contains": _contains,
    "ncontains": _not(_contains),
    "matches": _matches,
    "nmatches": _not(_matches),
}
PRESENCE = ("exists", "nexists")
"""Those that may be asked of a field that is missing; of the others none holds then."""
PATTERN = ("matches", "nmatches")
LISTS = ("in", "nin")
ORDERS = ("lt", "gt", "lte", "gte")
