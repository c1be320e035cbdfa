"""What people give to hosts, checked where it is given and before any guest meets it.

In: values by the names of their arguments. Out: nothing; InvalidError with the argument, what it must be, and what was
given.

Spec: SPEC section 14.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from wippywasm.errors import InvalidError


class Kind:
    """What an argument must be, in words, and whether a value is it."""

    def __init__(self, expected: str, fits: Callable[[object], bool]) -> None:
        self.expected = expected
        self.fits = fits

    def require(self, where: str, value: object) -> None:
        """Raise InvalidError for what is not of this kind; `where` is the path of the argument."""
        if not self.fits(value):
            raise InvalidError(f"{where} must be {self.expected}, not {_shown(value)}")


def check(kinds: Mapping[str, Kind], given: Mapping[str, object]) -> None:
    """Refuse the first of several arguments that is not of its kind."""
    for name, value in given.items():
        kinds[name].require(name, value)


def instance(expected: str, *types: type) -> Kind:
    """Objects of some classes, or of some protocols, which a class must not stand for."""
    return Kind(expected, lambda value: isinstance(value, types) and not isinstance(value, type))


def or_none(kind: Kind) -> Kind:
    """The same, or None for what is usual."""
    return Kind(kind.expected, lambda value: value is None or kind.fits(value))


def at_least(least: int) -> Kind:
    """Whole numbers from `least` on."""
    return Kind(f"a whole number from {least} on", lambda v: _is_whole(v) and v >= least)  # type: ignore[operator]


def is_list(value: object) -> bool:
    """Whether it gives one thing after the other; texts and bytes are meant as a whole."""
    return isinstance(value, Iterable) and not isinstance(value, str | bytes)


def is_text(value: object) -> bool:
    """Whether an operating system and a guest could be given it."""
    return isinstance(value, str) and "\0" not in value and not any("\ud800" <= c <= "\udfff" for c in value)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _shown(value: object) -> str:
    """The value's class; with the value where that is short and plain."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if isinstance(value, str | int | float) and len(repr(value)) <= 40:
        return f"{type(value).__name__} {value!r}"
    return type(value).__name__


COUNT: Final = at_least(0)
SECONDS: Final = Kind("a number of seconds above 0", _is_time)
FUNCTION: Final = Kind("a function", callable)
TEXT: Final = Kind("a text without NUL and lone surrogates", is_text)
BOOL: Final = instance("True or False", bool)
MAPPING: Final = instance("a mapping", Mapping)
