"""Bytes → aliases: of exports of instances, of exports of core instances, and of what an outer scope defines.

In: a `Reader` at an `alias`, the scope that it joins. Out: the scope, with a new index for the aliased item.
Spec: component-model `Binary.md`, alias definitions.
"""

from __future__ import annotations

from typing import TypeAlias

from wippywasm.binary.component import AliasCoreExport, AliasExport, AliasOuter, DefinedType, ModuleType
from wippywasm.binary.core_subtype import core_sort
from wippywasm.binary.nodes import Entity, TypeNode, public, public_type
from wippywasm.binary.reader import Reader
from wippywasm.binary.scope import COMPONENT, Scope, append, at, of_sort
from wippywasm.binary.sorts import CORE_PREFIX, read_sort
from wippywasm.core import CoreFuncType
from wippywasm.errors import ValidationError

OuterType: TypeAlias = DefinedType | ModuleType | CoreFuncType | None

EXPORT, CORE_EXPORT, OUTER = 0, 1, 2
OUTER_SORTS = frozenset({"core module", "core type", "component", "type"})


def read_alias(scope: Scope, reader: Reader) -> None:
    """An `alias` definition of a component."""
    offset = reader.pos
    sort, target = _read_head(reader)
    if target == EXPORT:
        _alias_export(scope, reader, sort, offset)
    elif target == CORE_EXPORT:
        _alias_core_export(scope, reader, sort, offset)
    else:
        _alias_outer(scope, reader, sort, offset)


def read_alias_declarator(scope: Scope, reader: Reader) -> None:
    """An `alias` declarator of a component or instance type, where fewer sorts are allowed."""
    offset = reader.pos
    sort, target = _read_head(reader)
    allowed = {EXPORT: ("type", "instance"), OUTER: ("type", "core type")}
    if sort not in allowed.get(target, ()):
        raise ValidationError(
            f"an alias of a {sort} in a {scope.kind}: such aliases may only refer to types or instances", offset
        )
    if target == EXPORT:
        _, _, entity = read_export_target(scope, reader, sort, offset)
        scope.add(entity, offset)
    else:
        count, index = reader.u32(), reader.u32()
        _take_outer(scope, sort, count, index, offset)


def _read_head(reader: Reader) -> tuple[str, int]:
    offset = reader.pos
    sort = read_sort(reader)
    target_offset = reader.pos
    target = reader.byte()
    if target > OUTER:
        raise reader.bad_byte(target, "the target of an alias", target_offset)
    if target == OUTER and sort not in OUTER_SORTS:
        core = reader.data[offset] == CORE_PREFIX
        raise reader.bad_byte(reader.data[offset + core], "the sort of an outer alias", offset)
    return sort, target


def _alias_export(scope: Scope, reader: Reader, sort: str, offset: int) -> None:
    instance, name, entity = read_export_target(scope, reader, sort, offset)
    scope.add(entity, offset)
    scope.define(AliasExport(offset, sort, instance, name, public(entity)))


def read_export_target(scope: Scope, reader: Reader, sort: str, offset: int) -> tuple[int, str, Entity]:
    """The instance index, the name, and what the instance exports by it."""
    index, name = reader.u32(), reader.name()
    instance = at(scope.instances, index, "instance", offset)
    if sort == "value":
        scope.require_values(offset)
    entity = instance.exports.get(name)
    if entity is None:
        raise ValidationError(f"instance {index} has no export named `{name}`", offset)
    return index, name, of_sort(entity, sort, f"export `{name}` of instance {index}", offset)


def _alias_core_export(scope: Scope, reader: Reader, sort: str, offset: int) -> None:
    index, name = reader.u32(), reader.name()
    instance = at(scope.core_instances, index, "core instance", offset)
    type = instance.get(name)
    if type is None:
        raise ValidationError(f"core instance {index} has no export named `{name}`", offset)
    if core_sort(type) != sort:
        place = f"export `{name}` of core instance {index}"
        raise ValidationError(f"{place} is not a {sort}: it is a {core_sort(type)}", offset)
    scope.add_core(type, offset)
    scope.define(AliasCoreExport(offset, sort, index, name, type))


# ---- outer aliases --------------------------------------------------------------------------------------------------


def _alias_outer(scope: Scope, reader: Reader, sort: str, offset: int) -> None:
    count, index = reader.u32(), reader.u32()
    type = _take_outer(scope, sort, count, index, offset)
    scope.define(AliasOuter(offset, sort, count, index, type))


def _take_outer(scope: Scope, sort: str, count: int, index: int, offset: int) -> OuterType:
    """Append what an outer scope has at `index`, and tell its public type."""
    target = scope.outer(count, offset)
    match sort:
        case "core module":
            module = at(target.core_modules, index, sort, offset)
            scope.add(module, offset)
            return module
        case "core type":
            type = at(target.core_types.types, index, sort, offset)
            scope.core_types.alias(target.core_types, index)
            return type
        case "component":
            component = at(target.components, index, sort, offset)
            scope.add(component, offset)
            return component.model
        case _:
            node = target.type_at(index, offset)
            _check_substitutable(scope, target, node, offset)
            append(scope.types, node, sort, offset)
            return public_type(node)


def _check_substitutable(scope: Scope, target: Scope, node: TypeNode, offset: int) -> None:
    """A nested component may be moved out of its parent, so it must not depend on resources of that one instance."""
    inner: Scope | None = scope
    while inner is not None and inner is not target and inner.kind != COMPONENT:
        inner = inner.parent
    if inner is not target and not scope.context.resource_free.holds(node, offset):
        raise ValidationError(
            "an outer alias out of a component names a type that transitively refers to resources", offset
        )
