"""Types as messages and generated code call them.

In: structural value types. Out: short text, ranges of integers, and a refusal of what Lua has no form for yet.
"""

from __future__ import annotations

from wippywasm.errors import InvalidError, with_article
from wippywasm.model import (
    EnumType,
    FlagsType,
    FuncType,
    ListType,
    MapType,
    OptionType,
    Prim,
    RecordType,
    ResultType,
    TupleType,
    ValType,
    VariantType,
)

_WIDTH = 80
_DEPTH = 100
INT_RANGES: dict[str, tuple[int, int]] = {
    **{f"s{bits}": (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) for bits in (8, 16, 32, 64)},
    **{f"u{bits}": (0, (1 << bits) - 1) for bits in (8, 16, 32)},
    "u64": (-(1 << 63), (1 << 63) - 1),
}
"""What a Lua integer may be for each type; for u64 any, since it stands for its 64 bits."""


def type_text(t: ValType | None, depth: int = 3) -> str:
    """The type in one short line."""
    text = _text(t, depth)
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"


def _text(t: ValType | None, depth: int) -> str:
    if depth == 0:
        return "…"
    match t:
        case None:
            return "_"
        case Prim(name=name):
            return name
        case ListType(element=element, length=length):
            return f"list<{_text(element, depth - 1)}{'' if length is None else f', {length}'}>"
        case OptionType(type=inner):
            return f"option<{_text(inner, depth - 1)}>"
        case ResultType(ok=ok, err=err):
            return f"result<{_text(ok, depth - 1)}, {_text(err, depth - 1)}>"
        case MapType(key=key, value=value):
            return f"map<{_text(key, depth - 1)}, {_text(value, depth - 1)}>"
        case TupleType(items=items):
            return f"tuple<{', '.join(_text(item, depth - 1)[:_WIDTH] for item in items[:12])}>"
    return _named(t)


def _named(t: ValType) -> str:
    match t:
        case RecordType(fields=fields):
            return f"record {{{', '.join(f.name[:_WIDTH] for f in fields[:12])}}}"
        case VariantType(cases=cases):
            return f"variant {{{', '.join(c.name[:_WIDTH] for c in cases[:12])}}}"
        case EnumType(names=names) | FlagsType(names=names):
            return f"{'enum' if isinstance(t, EnumType) else 'flags'} {{{', '.join(n[:_WIDTH] for n in names[:12])}}}"
    raise InvalidError(
        f"Lua has no form for {with_article(type(t).__name__.removesuffix('Type').lower())} yet",
        hint="call this function from Python, or wrap it in one without resources, streams or futures",
    )


def children(t: ValType) -> tuple[ValType, ...]:
    """The types that a value of this type holds."""
    match t:
        case ListType(element=element):
            return (element,)
        case OptionType(type=inner):
            return (inner,)
        case RecordType(fields=fields):
            return tuple(f.type for f in fields)
        case TupleType(items=items):
            return items
        case VariantType(cases=cases):
            return tuple(c.type for c in cases if c.type is not None)
        case ResultType(ok=ok, err=err):
            return tuple(part for part in (ok, err) if part is not None)
        case MapType(key=key, value=value):
            return (key, value)
    return ()


def refuse_unsupported(ft: FuncType) -> None:
    """Raise InvalidError where a type of the signature has no form in Lua, or nests too deep to be walked."""
    if ft.depth > _DEPTH:
        raise InvalidError(f"the signature's types nest deeper than {_DEPTH} levels")
    seen: set[ValType] = set()
    waiting = [param.type for param in ft.params] + ([ft.result] if ft.result else [])
    while waiting:
        t = waiting.pop()
        if t not in seen:
            seen.add(t)
            _refuse_error_context(t)
            _text(t, 2)
            waiting += children(t)


def _refuse_error_context(t: ValType) -> None:
    if isinstance(t, Prim) and t.name == "error-context":
        raise InvalidError("Lua has no form for an error-context yet")


def is_bytes(t: ValType) -> bool:
    """Whether the type is `list<u8>`, a string in Lua and `bytes` in Python."""
    return isinstance(t, ListType) and isinstance(t.element, Prim) and t.element.name == "u8"


def is_nested_option(t: ValType) -> bool:
    """Whether the type is an option whose payload is an option, so that absence of each must be told apart."""
    return isinstance(t, OptionType) and isinstance(t.type, OptionType)
