"""Bytes → the types of a type section and of type declarators: component, instance, function, value and resource types.

In: a `Reader` at a `type`, the scope that it joins. Out: nodes; of resource types also what the component defines.
Spec: component-model `Binary.md`, type definitions (`deftype`, `componenttype`, `instancetype`, `resourcetype`).
"""

from __future__ import annotations

from wippywasm.binary.alias import read_alias_declarator
from wippywasm.binary.closed import Without
from wippywasm.binary.component import ResourceDefinition, TypeDefinition
from wippywasm.binary.core_type_section import read_core_type
from wippywasm.binary.core_types import CoreTypeReader
from wippywasm.binary.import_export import read_export_declarator, read_import_declarator
from wippywasm.binary.limits import CORE_TYPE, DECLARED_ALIAS, DECLARED_EXTERN, DECLARED_TYPE
from wippywasm.binary.nodes import ComponentNode, FuncNode, InstanceNode, ResNode, ValNode, public_type
from wippywasm.binary.reader import Reader
from wippywasm.binary.scope import COMPONENT, COMPONENT_TYPE, INSTANCE_TYPE, Scope, append, at, bounded
from wippywasm.binary.value_types import ValueTypeReader
from wippywasm.budget import Cost
from wippywasm.core import CoreFuncType, CoreValType
from wippywasm.errors import ValidationError
from wippywasm.model import ResourceType

RESOURCE, ASYNC_FUNCTION = 0x3F, 0x43
CORE_TYPE_DECL, TYPE_DECL, ALIAS_DECL, IMPORT_DECL, EXPORT_DECL = range(5)
_DECLARED: dict[int, Cost] = {CORE_TYPE_DECL: CORE_TYPE, TYPE_DECL: DECLARED_TYPE, ALIAS_DECL: DECLARED_ALIAS}


def read_type(scope: Scope, reader: Reader) -> None:
    """Read a type definition into the scope."""
    offset = reader.pos
    if reader.peek() == RESOURCE:
        reader.pos += 1
        _read_resource(scope, reader, offset)
        return
    node = read_deftype(scope, reader)
    append(scope.types, node, "type", offset)
    if scope.kind == COMPONENT:
        type = public_type(node)
        assert not isinstance(type, ResourceType)
        scope.define(TypeDefinition(offset, type))


def read_deftype(scope: Scope, reader: Reader) -> ValNode | FuncNode | ComponentNode | InstanceNode:
    """A `deftype` other than a resource."""
    match reader.peek():
        case code if code > ASYNC_FUNCTION:
            return ValueTypeReader(scope, reader).defined()
        case 0x40 | 0x43 as code:
            reader.pos += 1
            return ValueTypeReader(scope, reader).function(code == ASYNC_FUNCTION)
        case 0x41:
            inner = _read_declarators(Scope(COMPONENT_TYPE, scope.context, scope, reader.pos), reader)
            if inner.exported:
                inner.imports.check_closed(Without(inner.exported.keys(), scope.context.budget))
            return bounded(inner.component_type(), reader.pos)
        case 0x42:
            inner = _read_declarators(Scope(INSTANCE_TYPE, scope.context, scope, reader.pos), reader)
            return bounded(inner.instance_type(), reader.pos)
        case _:
            return ValueTypeReader(scope, reader).defined()


def _read_declarators(scope: Scope, reader: Reader) -> Scope:
    reader.pos += 1
    count = reader.count("declarations")
    for _ in range(count):
        offset = reader.pos
        kind = reader.byte()
        scope.context.budget.define(_DECLARED.get(kind, DECLARED_EXTERN), offset)
        if kind == CORE_TYPE_DECL:
            read_core_type(scope, reader)
        elif kind == TYPE_DECL:
            read_type(scope, reader)
        elif kind == ALIAS_DECL:
            read_alias_declarator(scope, reader)
        elif kind == IMPORT_DECL and scope.kind == COMPONENT_TYPE:
            read_import_declarator(scope, reader)
        elif kind == EXPORT_DECL:
            read_export_declarator(scope, reader)
        else:
            raise reader.bad_byte(kind, f"a declaration in the {scope.kind}", offset)
    return scope


def _read_resource(scope: Scope, reader: Reader, offset: int) -> None:
    if scope.kind != COMPONENT:
        raise ValidationError("resources can only be defined within a concrete component", offset)
    rep = _read_representation(scope, reader)
    destructor = reader.optional(reader.u32)
    if destructor is not None:
        _check_destructor(scope, destructor, rep, offset)
    resource = ResourceType()
    scope.local_resources[resource] = rep
    append(scope.types, ResNode(resource), "type", offset)
    scope.define(ResourceDefinition(offset, resource, rep, destructor))


def _read_representation(scope: Scope, reader: Reader) -> CoreValType:
    offset = reader.pos
    type = CoreTypeReader(reader, scope.core_types, scope.context.budget).val_type()
    if type != "i32":
        raise ValidationError("resources can only be represented by `i32`", offset)
    return type


def _check_destructor(scope: Scope, index: int, rep: CoreValType, offset: int) -> None:
    found = at(scope.core_funcs, index, "core func", offset)
    if found != CoreFuncType((rep,), ()):
        raise ValidationError(f"core function {index} has the wrong signature for a destructor", offset)
