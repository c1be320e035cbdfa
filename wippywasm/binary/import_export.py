"""Bytes → imports and exports, of components and as declarators of component and instance types.

In: a `Reader` at the import or export, the scope that it joins. Out: the scope, with a new index for what came in or
went out.

Spec: component-model `Binary.md`, import and export definitions; `Explainer.md`, "Type Checking".
"""

from __future__ import annotations

from wippywasm.binary.component import Export, Import, ModuleType
from wippywasm.binary.extern_names import NameWithAttributes, read_name
from wippywasm.binary.limits import ENTRY_ROOM, EXPORTED_ITEM, INSTANCE_ENTITY, STEP_ROOM, TYPE_ENTITY
from wippywasm.binary.nodes import (
    ComponentNode,
    Entity,
    FuncNode,
    InstanceNode,
    Path,
    ResNode,
    TypeEntity,
    ValueEntity,
    public,
    sort_of,
)
from wippywasm.binary.reader import Reader
from wippywasm.binary.scope import INSTANCE_TYPE, Scope, at
from wippywasm.binary.sorts import read_sort
from wippywasm.binary.substitute import freshen
from wippywasm.binary.subtype import Checker
from wippywasm.binary.value_types import ValueTypeReader
from wippywasm.errors import ValidationError
from wippywasm.model import ResourceType

CORE_MODULE_SORT = 0x11


def read_import(scope: Scope, reader: Reader) -> None:
    """An `import` definition of a component."""
    offset = reader.pos
    name, entity = _read_import(scope, reader)
    scope.define(Import(offset, name.name.text, public(entity)))


def read_import_declarator(scope: Scope, reader: Reader) -> None:
    """An `importdecl` of a component type."""
    _read_import(scope, reader)


def _read_import(scope: Scope, reader: Reader) -> tuple[NameWithAttributes, Entity]:
    name = read_name(reader, scope.context)
    entity = read_extern_type(scope, reader, name.name.text)
    name.check_entity(entity)
    _introduce(scope, scope.imported, name, entity)
    _take(scope, "import", name, entity)
    return name, entity


def read_export_declarator(scope: Scope, reader: Reader) -> None:
    """An `exportdecl` of a component or instance type."""
    name = read_name(reader, scope.context)
    entity = read_extern_type(scope, reader, name.name.text)
    name.check_entity(entity)
    _introduce(scope, scope.exported, name, entity)
    if isinstance(entity, InstanceNode):
        entity = entity.within()
    _take(scope, "export", name, entity)


def _introduce(scope: Scope, space: dict[ResourceType, Path], name: NameWithAttributes, entity: Entity) -> None:
    """Remember the paths to the abstract resources that a declared import or export brings in."""
    introduced = introduced_by(entity)
    scope.context.budget.spend(len(introduced), name.offset)
    for resource, path in introduced.items():
        scope.context.budget.take(ENTRY_ROOM + STEP_ROOM * len(path), name.offset)
        space.setdefault(resource, (name.name.text, *path))


def read_export(scope: Scope, reader: Reader) -> None:
    """An `export` definition of a component."""
    offset = reader.pos
    name = read_name(reader, scope.context)
    sort, index = read_sort(reader), reader.u32()
    entity = renamed(scope.entity(sort, index, offset))
    is_ascribed = reader.flag("the ascribed type of an export")
    if is_ascribed:
        ascribed = read_extern_type(scope, reader, name.name.text)
        checker = Checker(scope.context.budget, offset)
        checker.ascription(entity, ascribed)
        checker.release()
        entity = ascribed
    name.check_entity(entity)
    if isinstance(entity, InstanceNode):
        scope.context.budget.spend(len(entity.exports) * EXPORTED_ITEM, offset)
    _note_exported(scope, entity, (name.name.text,), offset)
    _take(scope, "export", name, entity)
    if isinstance(entity, ValueEntity):
        scope.used_values.add(len(scope.values) - 1)
    scope.define(Export(offset, name.name.text, sort, index, public(entity), is_ascribed))


def _take(scope: Scope, what: str, name: NameWithAttributes, entity: Entity) -> None:
    space = scope.imports if what == "import" else scope.exports
    if isinstance(entity, TypeEntity):
        scope.context.budget.define(TYPE_ENTITY, name.offset)
    elif isinstance(entity, InstanceNode):
        scope.context.budget.define(INSTANCE_ENTITY, name.offset)
    space.add(name.name, entity, name.offset)
    space.name_resource(name.name, entity)
    scope.visibility.offset = name.offset
    if scope.kind != INSTANCE_TYPE and not scope.visibility.admit(what, entity):
        noun = sort_of(entity)
        raise ValidationError(
            f"{noun} not valid to be used as {what} `{name.name.text}`: it uses a type without a name here",
            name.offset,
            hint=f"{what} the resources, records, variants, enums and flags that it uses before it",
        )
    scope.add(entity, name.offset)


def renamed(entity: Entity) -> Entity:
    """What an export adds: the same item, under a new index where it is a type."""
    if isinstance(entity, TypeEntity):
        return TypeEntity(entity.created.renamed(), entity.created)
    return entity


def introduced_by(entity: Entity) -> dict[ResourceType, Path]:
    """The abstract resources that a declared import or export brings in, with their paths below it."""
    match entity:
        case TypeEntity(created=ResNode(type=resource), fresh=True):
            return {resource: ()}
        case InstanceNode():
            return dict(entity.introduced)
        case _:
            return {}


def _note_exported(scope: Scope, entity: Entity, path: Path, offset: int) -> None:
    """Remember the first path by which a component exports each resource that it did not import."""
    match entity:
        case TypeEntity(created=ResNode(type=resource)):
            if resource not in scope.imported and resource not in scope.exported:
                resource.name = resource.name or path[-1]
                scope.context.budget.take(ENTRY_ROOM + STEP_ROOM * len(path), offset)
                scope.exported[resource] = path
        case InstanceNode() if entity not in scope.noted:
            scope.noted.add(entity)
            scope.context.budget.spend(len(entity.exports), offset)
            for name, inner in entity.exports.items():
                _note_exported(scope, inner, (*path, name), offset)


# ---- extern types ---------------------------------------------------------------------------------------------------


def read_extern_type(scope: Scope, reader: Reader, name: str) -> Entity:
    """An `externtype`; resources that it introduces are fresh, and called `name`."""
    offset = reader.pos
    code = reader.byte()
    match code:
        case 0x00:
            return _read_module(scope, reader)
        case 0x01:
            return scope.type_of(FuncNode, reader.u32(), offset)
        case 0x02:
            scope.require_values(offset)
            return _read_value_bound(scope, reader)
        case 0x03:
            return _read_type_bound(scope, reader, name)
        case 0x04:
            return scope.type_of(ComponentNode, reader.u32(), offset)
        case 0x05:
            instance = scope.type_of(InstanceNode, reader.u32(), offset)
            return freshen(instance, scope.context.budget, offset)
        case _:
            raise reader.bad_byte(code, "the type of an import or export", offset)


def _read_value_bound(scope: Scope, reader: Reader) -> ValueEntity:
    """A `valuebound`; the tools that exist leave out the byte that announces a type."""
    offset = reader.pos
    form = reader.peek()
    if form <= 1:
        reader.pos += 1
    if form == 0:
        return at(scope.values, reader.u32(), "value", offset)
    return ValueEntity(ValueTypeReader(scope, reader).val_type())


def _read_module(scope: Scope, reader: Reader) -> ModuleType:
    offset = reader.pos
    sort = reader.byte()
    if sort != CORE_MODULE_SORT:
        raise reader.bad_byte(sort, "the sort of a core import or export", offset)
    return scope.module_type(reader.u32(), offset)


def _read_type_bound(scope: Scope, reader: Reader, name: str) -> TypeEntity:
    offset = reader.pos
    bound = reader.byte()
    if bound == 0:
        node = scope.type_at(reader.u32(), offset)
        return TypeEntity(node.renamed(), node)
    if bound != 1:
        raise reader.bad_byte(bound, "the bound of a type", offset)
    resource = ResNode(ResourceType(name))
    return TypeEntity(resource, resource, fresh=True)
