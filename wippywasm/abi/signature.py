"""What messages say of functions, their types and values, and the errors for calls with too many or too few arguments.

In: a function's type and name. Out: words, `ValueMismatchError`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from wippywasm.abi.keywords import snake
from wippywasm.dataclass import dataclass
from wippywasm.errors import ValueMismatchError, counted
from wippywasm.model import (
    BorrowType,
    EnumType,
    FlagsType,
    FuncType,
    FutureType,
    ListType,
    MapType,
    OptionType,
    OwnType,
    Prim,
    RecordType,
    ResultType,
    StreamType,
    TupleType,
    ValType,
    VariantType,
)
from wippywasm.unfolded import cut

MAX_SHOWN = 60


@dataclass(frozen=True)
class Signature:
    """What messages about the values of a function need."""

    type: FuncType
    name: str

    def show(self) -> str:
        """The parameters as in WIT; cut where they are long."""
        return cut(", ".join(f"{p.name}: {show_type(p.type)}" for p in self.type.params))


class _Missing:
    def __repr__(self) -> str:
        return "nothing"


MISSING: Any = _Missing()
"""Stands for an argument that was not given."""


def wrong_count(signature: Signature, given: int) -> NoReturn:
    """Refuse a call with too many or too few arguments."""
    count = len(signature.type.params)
    expected = f"{counted(count, 'argument')} ({signature.show()})" if count else "no arguments"
    raise ValueMismatchError(signature.name, expected, str(given))


def arranged(
    signature: Signature, args: Sequence[Any], extra: Sequence[Any], named: Mapping[str, Any]
) -> Sequence[Any]:
    """The arguments in their order, those that were given by name in their places; `extra` are more than there are."""
    if extra:
        wrong_count(signature, len(args) + len(extra) + len(named))
    known = [snake(p.name) for p in signature.type.params]
    placed = list(args)
    for name, value in named.items():
        if name not in known:
            expected = f"arguments named {', '.join(known)}" if known else "no arguments"
            raise ValueMismatchError(signature.name, expected, f"one named {name!r}")
        if placed[known.index(name)] is not MISSING:
            raise ValueMismatchError(signature.name, f"one value for {name}", "two")
        placed[known.index(name)] = value
    return placed


def no_result(signature: Signature, value: Any) -> NoReturn:
    """Refuse a value from a host function that has no result."""
    raise ValueMismatchError(f"result of {signature.name}", "None", show(value))


def show(value: Any) -> str:
    """A value as messages show it: short, and with its type where that is not plain."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001  a value's own repr may do anything
        text = f"<{type(value).__name__}>"
    return short(text)


def short(text: str) -> str:
    """The head of a text that may be long."""
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"


def show_type(t: ValType | None, depth: int = 3) -> str:
    """A type as WIT writes it; what is nested deeper than `depth` is left out."""
    if t is None:
        return "_"
    if depth == 0 and not isinstance(t, Prim):
        return "…"
    match t:
        case Prim(name=name):
            return name
        case ListType(element=element, length=length):
            return f"list<{show_type(element, depth - 1)}{f', {length}' if length is not None else ''}>"
        case MapType(key=key, value=value):
            return f"map<{show_type(key, depth - 1)}, {show_type(value, depth - 1)}>"
        case OptionType(type=inner):
            return f"option<{show_type(inner, depth - 1)}>"
        case ResultType(ok=None, err=None):
            return "result"
        case ResultType(ok=ok, err=err):
            tail = f", {show_type(err, depth - 1)}" if err is not None else ""
            return f"result<{show_type(ok, depth - 1)}{tail}>"
        case TupleType(items=items):
            return f"tuple<{', '.join(show_type(i, depth - 1) for i in items[:8])}>"
        case OwnType(resource=r):
            return f"own<{short(r.name)}>"
        case BorrowType(resource=r):
            return f"borrow<{short(r.name)}>"
        case StreamType(element=element) | FutureType(element=element):
            kind = "stream" if isinstance(t, StreamType) else "future"
            return kind if element is None else f"{kind}<{show_type(element, depth - 1)}>"
    return _show_labels(t)


def _show_labels(t: ValType) -> str:
    match t:
        case RecordType(fields=fields):
            kind, labels = "record", [f.name for f in fields]
        case VariantType(cases=cases):
            kind, labels = "variant", [c.name for c in cases]
        case EnumType(names=names):
            kind, labels = "enum", list(names)
        case FlagsType(names=names):
            kind, labels = "flags", list(names)
        case _:
            return type(t).__name__
    shown = ", ".join(map(short, labels[:6])) + (", …" if len(labels) > 6 else "")
    return f"{kind} {{{shown}}}"
