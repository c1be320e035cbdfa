"""What a core module says about itself in WIT: the functions and resources behind its mangled names.

In: a resolved WIT world, or nothing. Out: `CoreWorld`, structural types by the names that the module uses.

Where a world both imports and exports an interface, its resources exist twice: the host's and the module's own.

Spec: `WIT.md` (worlds).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wippywasm.core import CoreFuncType, CoreValType
from wippywasm.model import (
    F32,
    F64,
    S32,
    S64,
    FuncType,
    Param,
    Prim,
    ResourceType,
    TypeDef,
    structural_func,
)
from wippywasm.wit.resolved import Function, InterfaceItem, World, WorldItem, WorldKey, key_name


@dataclass(frozen=True, eq=False)
class CoreInterface:
    """Functions by full name (`[method]blob.read` included), and the resources defined here, by name."""

    functions: Mapping[str, FuncType] = field(default_factory=dict)
    resources: Mapping[str, ResourceType] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class CoreWorld:
    """Imports and exports by interface name; those of the world itself stand under the empty name."""

    imports: Mapping[str, CoreInterface] = field(default_factory=dict)
    exports: Mapping[str, CoreInterface] = field(default_factory=dict)


def core_world(world: World) -> CoreWorld:
    """The world in structural types."""
    return CoreWorld(_side(world.imports), _side(world.exports))


def _side(items: Mapping[WorldKey, WorldItem]) -> dict[str, CoreInterface]:
    functions: dict[str, FuncType] = {}
    resources: dict[str, ResourceType] = {}
    side = {"": CoreInterface(functions, resources)}
    for key, item in items.items():
        name = key_name(key)
        match item:
            case InterfaceItem(interface=interface):
                side[name] = _interface(interface.functions, interface.types)
            case Function():
                functions[name] = structural_func(item.type)
            case _:
                resources.update(_resources({name: item}))
    return side


def _interface(functions: Mapping[str, Function], types: Mapping[str, TypeDef]) -> CoreInterface:
    return CoreInterface({name: structural_func(f.type) for name, f in functions.items()}, _resources(types))


def _resources(types: Mapping[str, TypeDef]) -> dict[str, ResourceType]:
    return {name: t.kind for name, t in types.items() if isinstance(t.kind, ResourceType)}


_INFERRED: dict[CoreValType, Prim] = {"i32": S32, "i64": S64, "f32": F32, "f64": F64}


def infer(core: CoreFuncType) -> FuncType | None:
    """The signature of a core function of plain numbers (signed integers), or None where it has another kind."""
    if len(core.results) > 1 or not {*core.params, *core.results} <= _INFERRED.keys():
        return None
    params = tuple(Param(f"p{i}", _INFERRED[t]) for i, t in enumerate(core.params))
    return FuncType(params, _INFERRED[core.results[0]] if core.results else None)
