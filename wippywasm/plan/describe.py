"""Types in words, for messages and dumps.

In: structural types. Out: short WIT-like text, as many levels deep as few words can say and `…` below, since a type
that shares its nodes can be exponentially longer as text.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

from wippywasm.binary.component import DefinedType
from wippywasm.core import CoreFuncType
from wippywasm.errors import counted, with_article
from wippywasm.model import (
    BOOL,
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
    parts,
    resource_of,
)
from wippywasm.unfolded import cut

_MAX_DEPTH = 4
_MAX_PARTS = 16
_MAX_SHOWN = 120
"""Parts in all: a text says fewer levels rather than more of these."""


def describe_core(t: CoreFuncType) -> str:
    """`(i32 i32) -> i32`, as core types are written in messages."""
    results = " ".join(t.results) if len(t.results) == 1 else f"({' '.join(t.results)})"
    return f"({' '.join(t.params)}) -> {results}"


def describe_func(t: FuncType) -> str:
    """`func(a: s32) -> string`."""
    if t.has_resource:  # which may yet get its name
        return _func(t)
    known = _known.get(t)
    if known is None:
        known = _known[t] = _func(t)
    return known


_known: WeakKeyDictionary[FuncType, str] = WeakKeyDictionary()
"""Thousands of functions may be of one type."""


def _func(t: FuncType) -> str:
    shown = t.params[:_MAX_SHOWN]
    depth = _depth([*(p.type for p in shown), *([t.result] if t.result else [])])
    params = [f"{cut(p.name)}: {_describe(p.type, depth)}" for p in shown]
    more = len(t.params) - len(params)
    params += [f"… {counted(more, 'more parameter')}"] * (more > 0)
    result = f" -> {_describe(t.result, depth)}" if t.result else ""
    return cut(f"{'async ' if t.is_async else ''}func({', '.join(params)})") + cut(result)


def describe_type(t: DefinedType) -> str:
    """Whatever a name may stand for; types of instances and components only by their kind."""
    if isinstance(t, ResourceType):
        return f"resource {t.name}"
    if isinstance(t, FuncType):
        return describe_func(t)
    if isinstance(t, ValType):
        return describe(t)
    return f"of {with_article(type(t).__name__.removesuffix('Type').lower())}"


def describe(t: ValType | None) -> str:
    """A value type, `_` for none."""
    return cut(_describe(t, _depth([t] if t else [])))


def _depth(types: list[ValType]) -> int:
    """How many levels of these types can be said."""
    level, shown = types, len(types)
    for depth in range(_MAX_DEPTH):
        level = [part for t in level for part in _shown(t)]
        shown += len(level)
        if shown > _MAX_SHOWN:
            return max(depth, 1)
    return _MAX_DEPTH


def _shown(t: ValType) -> list[ValType]:
    """The types that stand in the text of a type; a name in it counts as much as one."""
    if isinstance(t, EnumType | FlagsType):
        return [BOOL] * min(len(t.names), _MAX_PARTS)
    return list(parts(t)[:_MAX_PARTS])


def _describe(t: ValType | None, depth: int) -> str:
    if t is None:
        return "_"
    if depth == 0:
        return t.name if isinstance(t, Prim) else "…"
    inner = depth - 1
    match t:
        case Prim(name=name):
            return name
        case ListType(element=element, length=length):
            return f"list<{_describe(element, inner)}{'' if length is None else f', {length}'}>"
        case RecordType(fields=fields):
            return _braces(
                "record", [f"{cut(f.name)}: {_describe(f.type, inner)}" for f in fields[:_MAX_PARTS]], len(fields)
            )
        case TupleType(items=items):
            return f"tuple<{_some([_describe(i, inner) for i in items[:_MAX_PARTS]], len(items))}>"
        case VariantType(cases=cases):
            named = [cut(c.name) + (f"({_describe(c.type, inner)})" if c.type else "") for c in cases[:_MAX_PARTS]]
            return _braces("variant", named, len(cases))
        case EnumType(names=names):
            return _braces("enum", list(map(cut, names[:_MAX_PARTS])), len(names))
        case FlagsType(names=names):
            return _braces("flags", list(map(cut, names[:_MAX_PARTS])), len(names))
        case _:
            return _describe_wrapper(t, inner)


def _describe_wrapper(t: ValType, depth: int) -> str:
    match t:
        case OptionType(type=inner):
            return f"option<{_describe(inner, depth)}>"
        case ResultType(ok=None, err=None):
            return "result"
        case ResultType(ok=ok, err=None):
            return f"result<{_describe(ok, depth)}>"
        case ResultType(ok=ok, err=err):
            return f"result<{_describe(ok, depth)}, {_describe(err, depth)}>"
        case MapType(key=key, value=value):
            return f"map<{_describe(key, depth)}, {_describe(value, depth)}>"
        case OwnType(resource=resource):
            return f"own<{resource_of(resource).name}>"
        case BorrowType(resource=resource):
            return f"borrow<{resource_of(resource).name}>"
        case StreamType(element=None):
            return "stream"
        case StreamType(element=element):
            return f"stream<{_describe(element, depth)}>"
        case FutureType(element=None):
            return "future"
        case FutureType(element=element):
            return f"future<{_describe(element, depth)}>"
        case _:
            return type(t).__name__


def _braces(word: str, parts: list[str], count: int) -> str:
    return f"{word} {{ {_some(parts, count)} }}"


def _some(parts: list[str], count: int) -> str:
    return ", ".join(parts + ["…"] * (count > len(parts)))
