"""Function types with their resources numbered, so that compiled code is shared by all that have the same structure.

In: a function type whose handles name the resource types of one component. Out: the same type over the resources
`SLOT 0`, `SLOT 1`, …, in order of appearance, and the resources that stood there.
"""

from __future__ import annotations

from functools import lru_cache

from wippywasm.abi.classes import like
from wippywasm.model import (
    BorrowType,
    Case,
    Field,
    FuncType,
    ListType,
    MapType,
    OptionType,
    OwnType,
    Param,
    RecordType,
    ResourceType,
    ResultType,
    TupleType,
    ValType,
    VariantType,
    resource_of,
)

_slots: list[ResourceType] = []


def slot(index: int) -> ResourceType:
    """The resource type that stands for the resource with that number."""
    while len(_slots) <= index:
        _slots.append(ResourceType(f"SLOT {len(_slots)}"))
    return _slots[index]


@lru_cache(maxsize=4096)
def number_resources(ft: FuncType) -> tuple[FuncType, tuple[ResourceType, ...]]:
    """The function type over slots, and the resource of each slot."""
    found: dict[ResourceType, ResourceType] = {}
    memo: dict[ValType, ValType] = {}
    params = tuple(Param(p.name, _number(p.type, found, memo)) for p in ft.params)
    result = None if ft.result is None else _number(ft.result, found, memo)
    return FuncType(params, result, ft.is_async), tuple(found)


def _number(t: ValType, found: dict[ResourceType, ResourceType], memo: dict[ValType, ValType]) -> ValType:
    done = memo.get(t)
    if done is None:
        done = memo[t] = like(t, _rebuild(t, found, memo))
    return done


def _rebuild(t: ValType, found: dict[ResourceType, ResourceType], memo: dict[ValType, ValType]) -> ValType:
    def go(part: ValType) -> ValType:
        return _number(part, found, memo)

    def opt(part: ValType | None) -> ValType | None:
        return None if part is None else _number(part, found, memo)

    match t:
        case OwnType(resource=resource):
            return OwnType(_slot_of(resource_of(resource), found))
        case BorrowType(resource=resource):
            return BorrowType(_slot_of(resource_of(resource), found))
        case ListType(element=element, length=length):
            return ListType(go(element), length)
        case RecordType(fields=fields):
            return RecordType(tuple(Field(f.name, go(f.type)) for f in fields))
        case TupleType(items=items):
            return TupleType(tuple(go(i) for i in items))
        case VariantType(cases=cases):
            return VariantType(tuple(Case(c.name, opt(c.type)) for c in cases))
        case OptionType(type=inner):
            return OptionType(go(inner))
        case ResultType(ok=ok, err=err):
            return ResultType(opt(ok), opt(err))
        case MapType(key=key, value=value):
            return MapType(go(key), go(value))
        case _:
            return t


def _slot_of(resource: ResourceType, found: dict[ResourceType, ResourceType]) -> ResourceType:
    return found.setdefault(resource, slot(len(found)))
