"""Bytes → core instances and component instances.

In: a `Reader` at the instance, the scope of its component. Out: the scope, with the new instance and its type.
Spec: component-model `Binary.md`, instance definitions.
"""

from __future__ import annotations

from wippywasm.binary.component import CoreInlineExports, InlineExports, InstantiateComponent, InstantiateModule
from wippywasm.binary.core_subtype import comparison, core_mismatch
from wippywasm.binary.extern_names import read_name
from wippywasm.binary.externs import ExternSpace
from wippywasm.binary.instantiate import instantiate
from wippywasm.binary.limits import ARGUMENT, CORE_EXPORT_OF_BAG, INLINE_EXPORT, INSTANTIATION, MAX_INSTANTIATION_ARGS
from wippywasm.binary.nodes import Entity, InstanceNode
from wippywasm.binary.reader import Reader
from wippywasm.binary.scope import Scope, append, at, bounded
from wippywasm.binary.sorts import read_core_sort, read_sort
from wippywasm.budget import Cost
from wippywasm.core import CoreExternType
from wippywasm.errors import ValidationError

INSTANTIATE, INLINE_EXPORTS = 0, 1
CORE_INSTANCE_SORT = 0x12


def read_core_instance(scope: Scope, reader: Reader) -> None:
    """A `core:instance`."""
    offset = reader.pos
    form = reader.byte()
    if form == INSTANTIATE:
        _instantiate_module(scope, reader, offset)
    elif form == INLINE_EXPORTS:
        _core_inline_exports(scope, reader, offset)
    else:
        raise reader.bad_byte(form, "a core instance", offset)


def _instantiate_module(scope: Scope, reader: Reader, offset: int) -> None:
    index = reader.u32()
    args = _read_core_args(scope, reader)
    module = at(scope.core_modules, index, "core module", offset)
    scope.context.budget.spend(comparison(module.imports) + len(module.exports), offset)
    instances = {name: at(scope.core_instances, arg, "core instance", offset) for name, arg in args.items()}
    for wanted in module.imports:
        place = f"import `{wanted.module}::{wanted.name}`"
        instance = instances.get(wanted.module)
        if instance is None:
            raise ValidationError(f"missing module instantiation argument named `{wanted.module}`", offset)
        if wanted.name not in instance:
            what = f"module instantiation argument `{wanted.module}`"
            raise ValidationError(f"{what} does not export an item named `{wanted.name}`", offset)
        why = core_mismatch(instance[wanted.name], wanted.type)
        if why is not None:
            raise ValidationError(f"type mismatch for {place}: {why}", offset)
    append(scope.core_instances, module.instance, "core instance", offset)
    scope.define(InstantiateModule(offset, index, tuple(args.items())))


def _read_core_args(scope: Scope, reader: Reader) -> dict[str, int]:
    args: dict[str, int] = {}
    for _ in range(_count_args(scope, reader)):
        offset = reader.pos
        name = reader.name()
        sort_offset = reader.pos
        sort = reader.byte()
        if sort != CORE_INSTANCE_SORT:
            raise reader.bad_byte(sort, "the kind of a module instantiation argument", sort_offset)
        if name in args:
            raise ValidationError(f"duplicate module instantiation argument named `{name}`", offset)
        args[name] = reader.u32()
    return args


def _count_args(scope: Scope, reader: Reader) -> int:
    offset = reader.pos
    count = reader.count("arguments")
    if count > MAX_INSTANTIATION_ARGS:
        raise ValidationError(f"{count} arguments: at most {MAX_INSTANTIATION_ARGS} are allowed", offset)
    scope.context.budget.define(ARGUMENT, offset, count)
    return count


def _count_exports(scope: Scope, reader: Reader, cost: Cost) -> int:
    offset = reader.pos
    count = reader.count("exports")
    scope.context.budget.define(cost, offset, count)
    return count


def _core_inline_exports(scope: Scope, reader: Reader, offset: int) -> None:
    exports: dict[str, CoreExternType] = {}
    definition: list[tuple[str, str, int]] = []
    for _ in range(_count_exports(scope, reader, CORE_EXPORT_OF_BAG)):
        place = reader.pos
        name, sort, index = reader.name(), read_core_sort(reader), reader.u32()
        if name in exports:
            raise ValidationError(f"export name `{name}` already defined", place)
        exports[name] = scope.core_item(sort, index, place)
        definition.append((name, sort, index))
    append(scope.core_instances, exports, "core instance", offset)
    scope.define(CoreInlineExports(offset, tuple(definition)))


# ---- component instances --------------------------------------------------------------------------------------------


def read_instance(scope: Scope, reader: Reader) -> None:
    """An `instance`."""
    offset = reader.pos
    form = reader.byte()
    if form == INSTANTIATE:
        _instantiate_component(scope, reader, offset)
    elif form == INLINE_EXPORTS:
        _inline_exports(scope, reader, offset)
    else:
        raise reader.bad_byte(form, "an instance", offset)


def _instantiate_component(scope: Scope, reader: Reader, offset: int) -> None:
    scope.context.budget.define(INSTANTIATION, offset)
    index = reader.u32()
    args: dict[str, Entity] = {}
    definition: list[tuple[str, str, int]] = []
    for _ in range(_count_args(scope, reader)):
        place = reader.pos
        name, sort, item = reader.name(), read_sort(reader), reader.u32()
        if name in args:
            raise ValidationError(f"instantiation argument `{name}` conflicts with previous argument `{name}`", place)
        args[name] = scope.entity(sort, item, place)
        definition.append((name, sort, item))
    component = at(scope.components, index, "component", offset)
    node = bounded(instantiate(component, args, scope.context.budget, offset), offset)
    scope.add(node, offset)
    scope.define(InstantiateComponent(offset, index, tuple(definition), node.model))


def _inline_exports(scope: Scope, reader: Reader, offset: int) -> None:
    space = ExternSpace("export", scope.context.unique)
    definition: list[tuple[str, str, int]] = []
    for _ in range(_count_exports(scope, reader, INLINE_EXPORT)):
        name = read_name(reader, scope.context)
        sort, index = read_sort(reader), reader.u32()
        entity = scope.entity(sort, index, name.offset)
        name.check_entity(entity)
        space.add(name.name, entity, name.offset)
        definition.append((name.name.text, sort, index))
    node = bounded(InstanceNode(space.entities), offset)
    scope.add(node, offset)
    scope.define(InlineExports(offset, tuple(definition), node.model))
