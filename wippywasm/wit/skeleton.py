"""What of a world's document is parsed to know that all of it can be, and what its names have to keep to.

In: a world, and the interfaces that it needs. Out: types as text with one member of each kind; InvalidError for names
that no document can have. A member or function takes fifty times its bytes to be parsed, and its name a few to be
looked at.
Spec: `WIT.md`, "Identifiers", "Item: `interface`".
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from wippywasm import model
from wippywasm.model import ValType
from wippywasm.wit.metadata import member_names
from wippywasm.wit.names import identifier_fault, taken_fault
from wippywasm.wit.print_types import Named, TypeTexts
from wippywasm.wit.printer import unsayable
from wippywasm.wit.resolved import Function, Interface, InterfaceItem, TypeDef, World


class Kinds(TypeTexts):
    """Types whose members and parameters all differ in more than their names; of a document that is not too long."""

    def __init__(self) -> None:
        super().__init__(sys.maxsize)

    def _text(self, t: ValType) -> str:
        if isinstance(t, model.TupleType):
            return f"tuple<{', '.join(map(self.type, dict.fromkeys(t.items)))}>"
        return super()._text(t)

    def _members(self, t: object) -> tuple[str, list[str] | None]:
        match t:
            case model.VariantType(cases=cases):
                return "variant", [self._case(c) for c in {c.type: c for c in cases}.values()]
            case model.EnumType(names=names) | model.FlagsType(names=names):
                t = type(t)(names[:1])
        return super()._members(t)

    def _named(self, members: Iterable[Named]) -> list[str]:
        return super()._named({m.type: m for m in members}.values())


def check_names(world: World, needed: Iterable[Interface]) -> None:
    """Raises InvalidError for names of functions, parameters and members that no document has."""
    items = [*world.imports.values(), *world.exports.values()]
    _check_functions([f for f in items if isinstance(f, Function)])
    _check_types(t for t in items if isinstance(t, TypeDef))
    inline = [i.interface for i in items if isinstance(i, InterfaceItem)]
    for interface in dict.fromkeys((*needed, *inline)):
        free = [f.name for f in interface.functions.values() if f.resource is None]
        _check_scope((*interface.types, *free))
        _check_functions(interface.functions.values())
        _check_types(interface.types.values())


def _check_functions(functions: Iterable[Function]) -> None:
    """Names of functions; those of a resource have a scope of their own."""
    methods: dict[object, list[str]] = {}
    for function in functions:
        if function.resource is None:
            _check_scope((function.name,))
        elif function.kind != "constructor":
            methods.setdefault(function.resource, []).append(function.name.partition(".")[2])
        _check_scope([p.name for p in function.params])
    for names in methods.values():
        _check_scope(names)


def _check_types(types: Iterable[TypeDef]) -> None:
    for t in types:
        _check_scope(member_names(t))


def _check_scope(names: Iterable[str]) -> None:
    """Raises InvalidError for names that are no identifiers, or the same in any case of letters."""
    seen: dict[str, str] = {}
    for name in names:
        folded = name.lower()
        fault = identifier_fault(name) or (taken_fault(name, seen[folded]) if folded in seen else None)
        if fault:
            raise unsayable(fault)
        seen[folded] = name
