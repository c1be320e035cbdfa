"""Named types to structural ones.

In: functions, interfaces and worlds of a resolution. Out: `model.FuncType`s without names, as the canonical ABI,
linking and comparison take them. A resource is a `ResourceType`, the same object wherever one scope means the same one.
Spec: `Explainer.md` (type equality), `WIT.md`, "Transitive imports and worlds".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from wippywasm import model
from wippywasm.dataclass import dataclass
from wippywasm.errors import InvalidError
from wippywasm.model import FuncType, ResourceType, ValType, parts
from wippywasm.wit.include import rebuilt
from wippywasm.wit.resolved import Function, Interface, InterfaceItem, TypeDef, World, WorldItem, WorldKey, key_name

ROOT = "$root"
"""Where a world's own functions are imported from, by the convention of core modules."""


class Flattener:
    """Types of one scope. `fresh` are interfaces whose resources are others here than in `parent`."""

    def __init__(self, parent: Flattener | None = None, fresh: frozenset[Interface] = frozenset()) -> None:
        self.parent = parent
        self.fresh = fresh
        self._types: dict[ValType, ValType] = {}
        self._resources: dict[TypeDef, ResourceType] = {}
        self._plain: dict[ValType, bool] = {}

    @property
    def resources(self) -> Mapping[TypeDef, ResourceType]:
        """Those that this scope has met so far, by what introduces them."""
        return self._resources

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
            found = self._types[t] = self._outside(t) or self._type(t)
        return found

    def _outside(self, t: ValType) -> ValType | None:
        """A type of another interface, or one without resources: it is the same in all scopes with one parent."""
        if self.parent is None:
            return None
        owner = t.root.owner if isinstance(t, TypeDef) else None  # type: ignore[attr-defined]
        is_same = owner not in self.fresh if owner is not None else False
        return self.parent.type(t) if is_same or self.parent.is_plain(t) else None

    def is_plain(self, t: ValType) -> bool:
        """Whether there is no resource in a type."""
        known = self._plain.get(t)
        if known is None:
            own = isinstance(t, model.OwnType | model.BorrowType) or (isinstance(t, TypeDef) and t.is_resource)
            known = self._plain[t] = not own and all(map(self.is_plain, parts(t)))
        return known

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


@dataclass(frozen=True)
class WorldScope:
    """What a world imports or exports under one name: an interface, or a function of its own (then `name` is empty)."""

    direction: Literal["import", "export"]
    name: str
    functions: Mapping[str, Function]
    interface: Interface | None
    types: Flattener
    """Gives the functions' types, in which a resource is the same object wherever the world means the same one."""


MAX_ITEMS = 250_000
"""Items and parts of types, in interfaces that a world has again under another name."""


def world_scopes(world: World, imported: Flattener | None = None) -> Iterator[WorldScope]:
    """All that a world imports, then all that it exports, in order; `imported` is then of the types that it imports.

    Raises InvalidError where it has large interfaces under too many names.
    """
    sizes: dict[Interface, int] = {}
    room = MAX_ITEMS
    imported = Flattener() if imported is None else imported
    exported = Flattener(imported, frozenset(k for k in world.exports if isinstance(k, Interface)))
    sides: tuple[tuple[Literal["import", "export"], Mapping[WorldKey, WorldItem], Flattener], ...]
    sides = ("import", world.imports, imported), ("export", world.exports, exported)
    for direction, items, types in sides:
        for key, item in items.items():
            if isinstance(item, Function):
                yield WorldScope(direction, "", {item.name: item}, None, imported)
            elif isinstance(item, InterfaceItem):
                interface = item.interface
                if interface in sizes:
                    room -= sizes[interface]
                    if room < 0:
                        raise InvalidError(f"world `{world.id}` has large interfaces too often", hint="split the world")
                else:
                    sizes[interface] = _size(interface)
                yield WorldScope(direction, key_name(key), interface.functions, interface, _scope(types, key, item))


def world_functions(world: World) -> tuple[Mapping[str, FuncType], Mapping[tuple[str, str], FuncType]]:
    """The functions that a world exports, by `name` or `interface#name`, and those that it imports."""
    imports: dict[tuple[str, str], FuncType] = {}
    exports: dict[str, FuncType] = {}
    for scope in world_scopes(world):
        for name, function in scope.functions.items():
            type = scope.types.function(function)
            if scope.direction == "import":
                imports[scope.name or ROOT, name] = type
            else:
                exports[f"{scope.name}#{name}" if scope.name else name] = type
    return exports, imports


def _size(interface: Interface) -> int:
    """The items of an interface and the parts of its types."""
    functions = interface.functions.values()
    pending: list[ValType] = [*interface.types.values(), *(p.type for f in functions for p in f.params)]
    pending += [f.result for f in functions if f.result is not None]
    count, seen = len(functions) + len(pending), set(pending)
    for t in pending:
        if isinstance(t, TypeDef) and t.owner not in (None, interface):
            continue
        inner = list(parts(t))
        count += len(inner)
        pending += (p for p in inner if p not in seen)
        seen.update(inner)
    return count


def _scope(outer: Flattener, key: object, item: InterfaceItem) -> Flattener:
    """Under a plain name, an interface's resources are its own, even if it has a name elsewhere."""
    return Flattener(outer, frozenset((item.interface,))) if isinstance(key, str) else outer
