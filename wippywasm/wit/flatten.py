"""Named types to structural ones.

In: functions, interfaces and worlds of a resolution. Out: `model.FuncType`s without names, as the canonical ABI,
linking and comparison take them. A resource is a `ResourceType`, the same object wherever one scope means the same one.
Spec: `Explainer.md` (type equality), `WIT.md`, "Transitive imports and worlds".
"""

from __future__ import annotations

from collections.abc import Mapping

from wippywasm import model
from wippywasm.model import FuncType, ResourceType, ValType
from wippywasm.wit.include import rebuilt
from wippywasm.wit.resolved import Function, Interface, InterfaceItem, TypeDef, World, key_name

ROOT = "$root"
"""Where a world's own functions are imported from, by the convention of core modules."""


class Flattener:
    """Types of one scope. `fresh` are interfaces whose resources are others here than in `parent`."""

    def __init__(self, parent: Flattener | None = None, fresh: frozenset[Interface] = frozenset()) -> None:
        self.parent = parent
        self.fresh = fresh
        self._types: dict[ValType, ValType] = {}
        self._resources: dict[TypeDef, ResourceType] = {}

    def resource(self, definition: TypeDef) -> ResourceType:
        root = definition.root
        if self.parent is not None and root.owner not in self.fresh:  # type: ignore[attr-defined]
            return self.parent.resource(root)  # type: ignore[arg-type]
        if root not in self._resources:
            self._resources[root] = ResourceType(root.name)  # type: ignore[index]
        return self._resources[root]  # type: ignore[index]

    def type(self, t: ValType) -> ValType:
        """The structural type behind `t`."""
        found = self._types.get(t)
        if found is None:
            found = self._types[t] = self._type(t)
        return found

    def _type(self, t: ValType) -> ValType:
        if isinstance(t, TypeDef):
            kind = t.root.kind
            return model.OwnType(self.resource(t)) if isinstance(kind, ResourceType) else self.type(kind)
        if isinstance(t, model.OwnType | model.BorrowType):
            resource = t.resource
            return type(t)(self.resource(resource) if isinstance(resource, TypeDef) else resource)
        return rebuilt(t, self.type)

    def function(self, function: Function) -> FuncType:
        params = tuple(model.Param(p.name, self.type(p.type)) for p in function.params)
        return FuncType(params, None if function.result is None else self.type(function.result), function.is_async)

    def functions(self, interface: Interface) -> dict[str, FuncType]:
        return {name: self.function(f) for name, f in interface.functions.items()}


def world_functions(world: World) -> tuple[Mapping[str, FuncType], Mapping[tuple[str, str], FuncType]]:
    """The functions that a world exports, by `name` or `interface#name`, and those that it imports."""
    imported = Flattener()
    imports: dict[tuple[str, str], FuncType] = {}
    for key, item in world.imports.items():
        if isinstance(item, Function):
            imports[ROOT, item.name] = imported.function(item)
        elif isinstance(item, InterfaceItem):
            scope = _scope(imported, key, item)
            imports.update({(key_name(key), n): t for n, t in scope.functions(item.interface).items()})
    own = frozenset(k for k in world.exports if isinstance(k, Interface))
    exported = Flattener(imported, own)
    exports: dict[str, FuncType] = {}
    for key, item in world.exports.items():
        if isinstance(item, Function):
            exports[item.name] = imported.function(item)
        elif isinstance(item, InterfaceItem):
            scope = _scope(exported, key, item)
            exports.update({f"{key_name(key)}#{n}": t for n, t in scope.functions(item.interface).items()})
    return exports, imports


def _scope(outer: Flattener, key: object, item: InterfaceItem) -> Flattener:
    """Under a plain name, an interface's resources are its own, even if it has a name elsewhere."""
    return Flattener(outer, frozenset((item.interface,))) if isinstance(key, str) else outer
