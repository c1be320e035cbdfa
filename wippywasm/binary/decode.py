"""Bytes → a decoded and validated component, in one pass.

In: untrusted bytes. Out: the tree of `binary.component`, or `MalformedError` or `ValidationError` with the offset
of the first thing that is wrong. Core modules stay slices of the input; only their outside is read.

Spec: component-model `Binary.md`.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

from wippywasm.binary import core_module
from wippywasm.binary.alias import read_alias
from wippywasm.binary.canon import read_canon
from wippywasm.binary.closed import Closed
from wippywasm.binary.component import Component, CoreModule, NestedComponent
from wippywasm.binary.core_type_section import check_import_names, read_core_type
from wippywasm.binary.features import DEFAULT, Features
from wippywasm.binary.import_export import read_export, read_import
from wippywasm.binary.instances import read_core_instance, read_instance
from wippywasm.binary.limits import (
    ALIAS,
    CANONICAL,
    CORE_INSTANCE,
    CORE_TYPE,
    CUSTOM_SECTION,
    EXPORT,
    IMPORT,
    INSTANCE,
    MODULE,
    NESTED,
    SECTION,
    TYPE,
    budget_of,
)
from wippywasm.binary.nodes import ComponentNode
from wippywasm.binary.preamble import read_preamble
from wippywasm.binary.reader import Reader, view_of
from wippywasm.binary.scope import COMPONENT, Context, Scope, bounded
from wippywasm.binary.type_section import read_type
from wippywasm.binary.value_section import read_start, read_value
from wippywasm.budget import Cost
from wippywasm.errors import MalformedError, ValidationError

CUSTOM, CORE_MODULE, COMPONENTS = 0, 1, 4
START, VALUE = 9, 12
VECTORS = MappingProxyType[int, tuple[Callable[[Scope, Reader], None], Cost]](
    {
        2: (read_core_instance, CORE_INSTANCE),
        3: (read_core_type, CORE_TYPE),
        5: (read_instance, INSTANCE),
        6: (read_alias, ALIAS),
        7: (read_type, TYPE),
        8: (read_canon, CANONICAL),
        10: (read_import, IMPORT),
        11: (read_export, EXPORT),
        12: (read_value, TYPE),
    }
)
"""Sections that are a vector of one kind of definition, each with what one of them costs."""


def decode(data: bytes | memoryview, *, features: Features = DEFAULT) -> Component:
    """Decode and validate a component.

    The tree refers to `data`, which must not change while it lives. Raises `MalformedError` where the bytes break the
    grammar and `ValidationError` where they break a rule; offsets count from the start of `data`.
    """
    reader = Reader(view_of(data))
    try:
        component, _ = _decode(reader, Context(features, budget_of(reader.left)), None)
    except RecursionError:
        raise ValidationError(
            "types are nested too deeply for the stack that is left", 0, hint="decode where fewer calls are pending"
        ) from None
    return component


def _decode(reader: Reader, context: Context, parent: Scope | None) -> tuple[Component, ComponentNode]:
    start = reader.pos
    if read_preamble(reader) != "component":
        raise MalformedError("expected a component, found a core module", start)
    scope = Scope(COMPONENT, context, parent, start)
    while reader.pos < reader.end:
        _read_section(scope, reader)
    scope.check_values_used(reader.pos)
    node = bounded(scope.component_type(), reader.pos)
    imported = Closed(scope.imported.keys(), context.budget)
    scope.imports.check_closed(imported)
    scope.exports.check_closed(Closed(scope.exported.keys(), context.budget, imported))
    wasm = reader.data[start : reader.end]
    return Component(tuple(scope.definitions), node, tuple(scope.customs), wasm), node


def _read_section(scope: Scope, reader: Reader) -> None:
    offset = reader.pos
    section = reader.byte()
    if section > VALUE:
        raise MalformedError(f"malformed section id: {section}", offset)
    body = reader.sub(reader.u32())
    budget = scope.context.budget
    vector = VECTORS.get(section)
    budget.grant((body.pos if vector is None else body.end) - offset)
    budget.spend(SECTION, offset)
    if section in (START, VALUE):
        scope.require_values(offset)
    if vector is not None:
        read, cost = vector
        count = body.count("definitions")
        budget.define(cost, offset, count)
        for _ in range(count):
            read(scope, body)
    elif section == CUSTOM:
        budget.define(CUSTOM_SECTION, offset)
        scope.customs.append(core_module.read_custom(body))
    elif section == CORE_MODULE:
        _read_module(scope, body)
    elif section == COMPONENTS:
        budget.define(NESTED, offset)
        component, node = _decode(body, scope.context, scope)
        scope.add(node, offset)
        scope.define(NestedComponent(offset, component))
    else:
        read_start(scope, body)
    body.expect_end(f"section {section}")


def _read_module(scope: Scope, body: Reader) -> None:
    start = body.pos
    scope.context.budget.define(MODULE, start)
    module = core_module.parse(body.data, start=start, end=body.end, budget=scope.context.budget)
    check_import_names(module.imports, start)
    body.pos = body.end
    scope.add(module.type, start)
    scope.define(CoreModule(start, body.data[start : body.end], module))
