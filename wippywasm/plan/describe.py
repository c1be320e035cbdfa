"""Types in words, for messages and dumps.

In: structural types. Out: short WIT-like text; parts below a few levels become `…`, since a type that shares its nodes
can be exponentially longer as text.
"""

from __future__ import annotations

from wippywasm.binary.component import DefinedType
from wippywasm.core import CoreFuncType
from wippywasm.errors import with_article
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
    ResourceType,
    ResultType,
    StreamType,
    TupleType,
    ValType,
    VariantType,
    resource_of,
)

_MAX_DEPTH = 4
_MAX_PARTS = 16


def describe_core(t: CoreFuncType) -> str:
    """`(i32 i32) -> i32`, as core types are written in messages."""
    results = " ".join(t.results) if len(t.results) == 1 else f"({' '.join(t.results)})"
    return f"({' '.join(t.params)}) -> {results}"


def describe_func(t: FuncType) -> str:
    """`func(a: s32) -> string`."""
    params = ", ".join(f"{p.name}: {describe(p.type)}" for p in t.params)
    return f"{'async ' if t.is_async else ''}func({params})" + (f" -> {describe(t.result)}" if t.result else "")


def describe_type(t: DefinedType) -> str:
    """Whatever a name may stand for; types of instances and components only by their kind."""
    if isinstance(t, ResourceType):
        return f"resource {t.name}"
    if isinstance(t, FuncType):
        return describe_func(t)
    if isinstance(t, ValType):
        return describe(t)
    return f"of {with_article(type(t).__name__.removesuffix('Type').lower())}"


def describe(t: ValType | None, depth: int = _MAX_DEPTH) -> str:
    """A value type, `_` for none."""
    if t is None:
        return "_"
    if depth == 0:
        return t.name if isinstance(t, Prim) else "…"
    inner = depth - 1
    match t:
        case Prim(name=name):
            return name
        case ListType(element=element, length=length):
            return f"list<{describe(element, inner)}{'' if length is None else f', {length}'}>"
        case RecordType(fields=fields):
            return _braces("record", [f"{f.name}: {describe(f.type, inner)}" for f in fields[:_MAX_PARTS]], len(fields))
        case TupleType(items=items):
            return f"tuple<{_some([describe(i, inner) for i in items[:_MAX_PARTS]], len(items))}>"
        case VariantType(cases=cases):
            named = [c.name + (f"({describe(c.type, inner)})" if c.type else "") for c in cases[:_MAX_PARTS]]
            return _braces("variant", named, len(cases))
        case EnumType(names=names):
            return _braces("enum", list(names[:_MAX_PARTS]), len(names))
        case FlagsType(names=names):
            return _braces("flags", list(names[:_MAX_PARTS]), len(names))
        case _:
            return _describe_wrapper(t, inner)


def _describe_wrapper(t: ValType, depth: int) -> str:
    match t:
        case OptionType(type=inner):
            return f"option<{describe(inner, depth)}>"
        case ResultType(ok=None, err=None):
            return "result"
        case ResultType(ok=ok, err=None):
            return f"result<{describe(ok, depth)}>"
        case ResultType(ok=ok, err=err):
            return f"result<{describe(ok, depth)}, {describe(err, depth)}>"
        case MapType(key=key, value=value):
            return f"map<{describe(key, depth)}, {describe(value, depth)}>"
        case OwnType(resource=resource):
            return f"own<{resource_of(resource).name}>"
        case BorrowType(resource=resource):
            return f"borrow<{resource_of(resource).name}>"
        case StreamType(element=None):
            return "stream"
        case StreamType(element=element):
            return f"stream<{describe(element, depth)}>"
        case FutureType(element=None):
            return "future"
        case FutureType(element=element):
            return f"future<{describe(element, depth)}>"
        case _:
            return type(t).__name__


def _braces(word: str, parts: list[str], count: int) -> str:
    return f"{word} {{ {_some(parts, count)} }}"


def _some(parts: list[str], count: int) -> str:
    return ", ".join(parts + ["…"] * (count > len(parts)))
