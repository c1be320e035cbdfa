"""Types that WIT text can spell and no component can have: values of them have no size, or no room.

In: a function type. Out: words for the first such type in it, or None.

Spec: `Binary.md` (`record`, `tuple`, `flags` and fixed-length `list` have at least one part, flags at most 32).
"""

from __future__ import annotations

from functools import lru_cache

from wippywasm.abi.parts import contains
from wippywasm.layout import MAX_FLAGS
from wippywasm.model import FlagsType, FuncType, ListType, RecordType, TupleType, ValType


@lru_cache(maxsize=4096)
def unencodable(ft: FuncType) -> str | None:
    """`parameter 'a' has in it an empty record …`, or None where all types of the function can be passed."""
    places = [(f"parameter {p.name!r}", p.type) for p in ft.params]
    if ft.result is not None:
        places.append(("the result", ft.result))
    for place, t in places:
        words = _first(t)
        if words is not None:
            return f"{place} has in it {words}, which can't be passed to or from a guest"
    return None


def _first(t: ValType) -> str | None:
    found: list[str] = []

    def note(part: ValType) -> bool:
        words = _words(part)
        found.extend([words] if words else [])
        return words is not None

    return found[0] if contains([t], note) else None


def _words(t: ValType) -> str | None:
    match t:
        case RecordType(fields=()):
            return "a record without fields (`record {}`)"
        case TupleType(items=()):
            return "a tuple without items (`tuple<>`)"
        case FlagsType(names=()):
            return "flags without names (`flags {}`)"
        case FlagsType(names=names) if len(names) > MAX_FLAGS:
            return f"flags with {len(names)} names, more than {MAX_FLAGS},"
        case ListType(length=0):
            return "a list of fixed length 0"
    return None
