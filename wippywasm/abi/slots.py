"""Function types with their resources numbered, so that compiled code is shared by all that have the same structure.

In: a function type whose handles name the resource types of one component. Out: the same type over the resources
`SLOT 0`, `SLOT 1`, …, in order of appearance, and the resources that stood there.
"""

from __future__ import annotations

from functools import partial

from wippywasm.abi.classes import like
from wippywasm.abi.remembered import of_functions
from wippywasm.model import FuncType, Param, ResourceType, TypeDef, ValType, resource_of, with_parts

_slots: list[ResourceType] = []


def slot(index: int) -> ResourceType:
    """The resource type that stands for the resource with that number."""
    while len(_slots) <= index:
        _slots.append(ResourceType(f"SLOT {len(_slots)}"))
    return _slots[index]


@of_functions(4096)
def number_resources(ft: FuncType) -> tuple[FuncType, tuple[ResourceType, ...]]:
    """The function type over slots, and the resource of each slot."""
    found: dict[ResourceType, ResourceType] = {}
    memo: dict[ValType, ValType] = {}
    params = tuple(Param(p.name, _number(found, memo, p.type)) for p in ft.params)
    result = None if ft.result is None else _number(found, memo, ft.result)
    return FuncType(params, result, ft.is_async), tuple(found)


def _number(found: dict[ResourceType, ResourceType], memo: dict[ValType, ValType], t: ValType) -> ValType:
    done = memo.get(t)
    if done is None:
        plain = with_parts(t, partial(_number, found, memo), partial(_slot_of, found))
        done = memo[t] = like(t, plain)
    return done


def _slot_of(found: dict[ResourceType, ResourceType], resource: ResourceType | TypeDef) -> ResourceType:
    return found.setdefault(resource_of(resource), slot(len(found)))
