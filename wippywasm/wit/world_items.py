"""What a world imports and exports, by name, with the named types.

In: a world, or an interface. Out: `Entity`s, structural as in `flatten`; and what of its imports a component of the
world really imports: tools leave out the types that nothing uses, and interfaces of which nothing is left.
Spec: `Explainer.md`, "Import and Export Definitions"; `WIT.md`, "Package Format".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from wippywasm import model
from wippywasm.dataclass import dataclass
from wippywasm.model import FuncType, ResourceType, ValType, parts
from wippywasm.wit.flatten import Flattener, world_scopes
from wippywasm.wit.resolved import Function, Interface, InterfaceItem, TypeDef, World, WorldItem, key_name


@dataclass(frozen=True)
class TypeItem:
    """A named type. `is_new` is for a resource that this very name introduces."""

    type: ValType | ResourceType
    is_new: bool = False


@dataclass(frozen=True)
class Instance:
    """What an interface has, under one name of a world."""

    items: Mapping[str, FuncType | TypeItem]


Entity: TypeAlias = "FuncType | TypeItem | Instance"
Path: TypeAlias = "tuple[str, ...]"


def world_items(world: World) -> tuple[dict[str, Entity], dict[str, Entity]]:
    """All that a world imports, and all that it exports. Raises InvalidError where that is too much."""
    imports: dict[str, Entity] = {}
    exports: dict[str, Entity] = {}
    outer = Flattener()
    for scope in world_scopes(world, outer):
        items = imports if scope.direction == "import" else exports
        if scope.interface is not None:
            items[scope.name] = interface_items(scope.interface, scope.types)
        else:
            items.update({name: scope.types.function(f) for name, f in scope.functions.items()})
    for key, item in world.imports.items():
        if isinstance(item, TypeDef):
            imports[key_name(key)] = _type_item(item, outer)
    return imports, exports


def interface_items(interface: Interface, types: Flattener) -> Instance:
    """The functions and types of an interface; `types` says which resources are meant."""
    named = {name: _type_item(t, types) for name, t in interface.types.items()}
    return Instance({**types.functions(interface), **named})


def _type_item(definition: TypeDef, types: Flattener) -> TypeItem:
    if definition.is_resource:
        return TypeItem(types.resource(definition), definition.root is definition)
    return TypeItem(types.type(definition))


def item_mark(entity: Entity | None) -> str:
    """What stands before the name of something in an interface: that of a function or of a type."""
    return "#" if isinstance(entity, FuncType) else "."


def new_resources(items: Mapping[str, Entity]) -> Iterator[tuple[ResourceType, Path]]:
    """The resources that imports or exports introduce, each with where it stands."""
    for name, entity in items.items():
        if isinstance(entity, Instance):
            for resource, path in new_resources(entity.items):
                yield resource, (name, *path)
        elif isinstance(entity, TypeItem) and entity.is_new and isinstance(entity.type, ResourceType):
            yield entity.type, (name,)


def item_at(items: Mapping[str, Entity], path: Path) -> TypeItem | None:
    """The type at the end of a path."""
    entity = items.get(path[0])
    for name in path[1:]:
        entity = entity.items.get(name) if isinstance(entity, Instance) else None
    return entity if isinstance(entity, TypeItem) else None


# ---- what is used --------------------------------------------------------------------------------------------------


def used_imports(world: World, imports: Mapping[str, Entity]) -> dict[str, Entity]:
    """What is left of `imports` without types that nothing uses. Resources, and types of the world itself, stay."""
    use, kept = _Use(world), dict(imports)
    for key, item in world.imports.items():
        name = key_name(key)
        entity = imports[name]
        if not isinstance(item, InterfaceItem) or not isinstance(entity, Instance):
            continue
        types = item.interface.types
        used = use.alone[name] if isinstance(key, str) else use.imported
        left = {n: e for n, e in entity.items.items() if isinstance(e, FuncType) or types[n] in used}
        if left:
            kept[name] = Instance(left)
        else:
            del kept[name]
    return kept


class _Use:
    """Which types of the interfaces that a world imports are used by anything.

    `imported` are those of interfaces under their full names; `alone` those of an interface that has a plain name, of
    which nothing else can use a type.
    """

    def __init__(self, world: World) -> None:
        self.imported: set[ValType] = set()
        self.alone: dict[str, set[ValType]] = {}
        exported = {key for key in world.exports if isinstance(key, Interface)}
        roots: list[ValType] = []
        for key, item in world.imports.items():
            if isinstance(key, str) and isinstance(item, InterfaceItem):
                self.alone[key] = set()
                roots += _reach(_parts(item), self.alone[key], item.interface)
            else:
                roots += _parts(item)
        of_exports: list[ValType] = []
        for key, item in world.exports.items():
            if isinstance(item, InterfaceItem):
                found = [*_parts(item), *item.interface.types.values()]
                of_exports += _reach(found, set(), item.interface) if isinstance(key, str) else found
            else:
                roots += _parts(item)
        _reach(roots, self.imported, None)
        seen: set[ValType] = set()
        _reach(of_exports, seen, None)
        self.imported |= {t for t in seen if isinstance(t, TypeDef) and t.owner not in exported}


def _parts(item: WorldItem) -> Iterator[ValType]:
    """The types that a component can't do without to have this item."""
    if isinstance(item, TypeDef):
        yield item
    elif isinstance(item, Function):
        yield from (p.type for p in item.params)
        if item.result is not None:
            yield item.result
    else:
        yield from (t for t in item.interface.types.values() if isinstance(t.kind, ResourceType))
        for function in item.interface.functions.values():
            yield from _parts(function)


def _reach(roots: Iterable[ValType], seen: set[ValType], home: Interface | None) -> list[ValType]:
    """Adds to `seen` what the roots are made of. With a `home`, stops at names of other places, and gives them back."""
    outside: list[ValType] = []
    pending = list(roots)
    while pending:
        t = pending.pop()
        if home is not None and isinstance(t, TypeDef) and t.owner not in (None, home):
            outside.append(t)
        elif t not in seen:
            seen.add(t)
            pending += parts(t)
            if isinstance(t, model.OwnType | model.BorrowType) and isinstance(t.resource, TypeDef):
                pending.append(t.resource)
    return outside
