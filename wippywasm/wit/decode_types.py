"""Type definitions of a binary WIT package to `TypeDef`s.

In: definitions with indices, and the scope that the indices are of. Out: named types with an owner, types without a
name, functions. What has no name in WIT, such as a record that nothing exports, is refused.
Spec: `Binary.md`, "Type Definitions"; `WIT.md`, "Package Format".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from wippywasm import model
from wippywasm.budget import Budget, Cost
from wippywasm.errors import ValidationError, with_article
from wippywasm.model import ResourceType, ValType
from wippywasm.wit.borrows import Borrows
from wippywasm.wit.decode_limits import (
    MADE_FIELD,
    MADE_FUNCTION,
    MADE_ITEM,
    MADE_PARAM,
    MADE_RESOURCE,
    MADE_TYPE,
    MADE_VALUE,
)
from wippywasm.wit.decode_raw import Declaration, Definition, Ref
from wippywasm.wit.decode_scope import Scope
from wippywasm.wit.names import identifier_fault, words
from wippywasm.wit.resolved import Function, Owner, Param, Resolution, TypeDef

_NEED_A_NAME = words("record variant enum flags")
_OF_FIELDS = ("record", "variant")
_MAP_KEYS = words("bool u8 u16 u32 u64 s8 s16 s32 s64 char string")


def checked_label(name: str, offset: int) -> str:
    """`name`, which has to be an identifier. Raises ValidationError."""
    if fault := identifier_fault(name):
        raise ValidationError(fault, offset)
    return name


class Types:
    """Makes `TypeDef`s and functions for a resolution, or without one to be looked at and thrown away."""

    def __init__(self, resolution: Resolution | None, budget: Budget) -> None:
        self.resolution = resolution
        self.budget = budget
        self._borrows = Borrows()

    def named(self, scope: Scope, d: Declaration, owner: Owner) -> TypeDef:
        """The type of a `type` import or export."""
        name = checked_label(d.name.name, d.offset)
        self._take(MADE_TYPE, d.offset)
        definition = TypeDef(name, ("decoded",), owner)
        definition.external_id = d.name.external_id
        definition.define(self._resource(name, d) if d.parts[0] == "resource" else self._target(scope, d))
        return self._listed(definition)

    def _resource(self, name: str, d: Declaration) -> ResourceType:
        self._take(MADE_RESOURCE, d.offset)
        return ResourceType(name)

    def _listed(self, definition: TypeDef) -> TypeDef:
        if self.resolution is not None:
            self.resolution.types.append(definition)
        return definition

    def _take(self, cost: Cost, offset: int, count: int = 1) -> None:
        """What is thrown away takes no room."""
        self.budget.define(cost if self.resolution is not None else Cost(cost.work, 0), offset, count)

    def _target(self, scope: Scope, d: Declaration) -> ValType:
        if d.parts[0] != "type":
            raise ValidationError(f"{with_article(str(d.parts[0]))} stands where a type has to be", d.offset)
        entry = scope.entry(d.parts[1], d.offset)
        return entry if isinstance(entry, TypeDef) else self._kind(scope, entry)

    def value(self, scope: Scope, ref: Ref, offset: int) -> ValType:
        """A value type; resources only come in handles."""
        if isinstance(ref, model.Prim):
            return ref
        entry = scope.entry(ref, offset)
        if isinstance(entry, Definition):
            if entry.kind in _NEED_A_NAME:
                raise ValidationError(f"{with_article(entry.kind)} has no name here, and WIT needs one", entry.offset)
            return self._without_name(scope, entry)
        if entry.is_resource:
            raise ValidationError(f"resource `{entry.name}` is used as a value", offset)
        return entry

    def _without_name(self, scope: Scope, d: Definition) -> ValType:
        known = scope.made.get((self, id(d)))
        if known is not None:
            return known
        value = self._kind(scope, d)
        if not isinstance(value, model.Prim):
            self._take(MADE_TYPE, d.offset)
            definition = TypeDef(None, ("decoded",))
            definition.define(value)
            value = self._listed(definition)
        scope.made[self, id(d)] = value
        return value

    def _kind(self, scope: Scope, d: Definition) -> ValType:
        if d.kind not in _KINDS:
            raise ValidationError(f"{with_article(d.kind)} type stands where a value type has to be", d.offset)
        self._take(MADE_VALUE, d.offset)
        self._take(MADE_FIELD if d.kind in _OF_FIELDS else MADE_ITEM, d.offset, _size(d))
        kind = _KINDS[d.kind](self, scope, d)
        if fault := self._borrows.fault(kind):
            raise ValidationError(fault, d.offset)
        return kind

    def optional(self, scope: Scope, ref: object, offset: int) -> ValType | None:
        return None if ref is None else self.value(scope, cast("Ref", ref), offset)

    def resource(self, scope: Scope, d: Definition) -> TypeDef:
        entry = scope.entry(d.parts[0], d.offset)
        if not isinstance(entry, TypeDef) or not entry.is_resource:
            raise ValidationError("a handle is for a resource", d.offset)
        return entry

    def labelled(self, scope: Scope, d: Definition) -> list[tuple[str, ValType | None]]:
        """The members of a record or variant."""
        members = cast("list[tuple[str, Ref | None]]", d.parts[0])
        _check_unique([name for name, _ in members], d.offset)
        if not members:
            raise ValidationError(f"{with_article(d.kind)} has at least one member", d.offset)
        return [(name, self.optional(scope, ref, d.offset)) for name, ref in members]

    def check(self, scope: Scope, d: Definition) -> None:
        """Refuses what can't be a value type or function type, whether it is used or not."""
        if d.kind == "func":
            self._signature(scope, d)
        elif d.kind not in ("instance", "component"):
            self._kind(scope, d)

    def function(self, scope: Scope, d: Declaration, resources: Mapping[str, TypeDef]) -> Function:
        """The function of a `func` import or export; `resources` are those whose methods may stand here."""
        definition = scope.defined(d.parts[1], "func", d.offset)
        self._take(MADE_FUNCTION, d.offset)
        function = Function(d.name.name, is_async=definition.parts[0] is True, external_id=d.name.external_id)
        name_function(function, resources, d.offset)
        function.params, function.result = self._signature(scope, definition)
        _check_method(function, d.offset)
        return function

    def _signature(self, scope: Scope, d: Definition) -> tuple[list[Param], ValType | None]:
        _, params, result = cast("tuple[bool, tuple[tuple[str, Ref], ...], Ref | None]", d.parts)
        self._take(MADE_PARAM, d.offset, 1 + len(params))
        _check_unique([name for name, _ in params], d.offset)
        found = [Param(name, self.value(scope, ref, d.offset)) for name, ref in params]
        returned = self.optional(scope, result, d.offset)
        if returned is not None and self._borrows.within(returned):
            raise ValidationError("a function returns a `borrow`, which ends with the call", d.offset)
        return found, returned


def _size(d: Definition) -> int:
    return sum(len(part) for part in d.parts if isinstance(part, list))


def _check_unique(names: list[str], offset: int) -> None:
    seen: set[str] = set()
    for name in names:
        if checked_label(name, offset).lower() in seen:
            raise ValidationError(f"`{name}` is there twice", offset)
        seen.add(name.lower())


def name_function(function: Function, resources: Mapping[str, TypeDef], offset: int) -> None:
    """What a name such as `[method]r.f` says about a function."""
    head, bracket, rest = function.name.partition("]")
    if not bracket:
        checked_label(function.name, offset)
        return
    resource, dot, name = rest.partition(".")
    function.kind = head[1:]
    owner = resources.get(resource)
    if head not in ("[constructor", "[method", "[static") or bool(dot) == (function.kind == "constructor"):
        raise ValidationError(f"`{function.name}` is not the name of a function", offset)
    if owner is None or not isinstance(owner.kind, ResourceType):
        raise ValidationError(f"`{function.name}` is of a resource that is not there", offset)
    if dot:
        checked_label(name, offset)
    function.resource = owner


def _check_method(function: Function, offset: int) -> None:
    """A method gets its resource first, a constructor returns it at once."""
    resource = function.resource
    if function.kind == "constructor" and function.is_async:
        raise ValidationError(f"`{function.name}` is async, which a constructor can't be", offset)
    if function.kind == "method":
        first = function.params[0].type if function.params else None
        kind = first.kind if isinstance(first, TypeDef) else None
        if not isinstance(kind, model.BorrowType) or kind.resource is not resource or function.params[0].name != "self":
            raise ValidationError(f"`{function.name}` does not start with `self: borrow<…>`", offset)
    if function.kind == "constructor":
        result = function.result.kind if isinstance(function.result, TypeDef) else None
        if isinstance(result, model.ResultType):
            result = result.ok.kind if isinstance(result.ok, TypeDef) else None
        if not isinstance(result, model.OwnType) or result.resource is not resource:
            raise ValidationError(f"`{function.name}` does not return its resource", offset)


def _names(types: Types, scope: Scope, d: Definition) -> tuple[str, ...]:
    names = cast("list[str]", d.parts[0])
    _check_unique(names, d.offset)
    if not names:
        raise ValidationError(f"{'flags have' if d.kind == 'flags' else 'an enum has'} at least one name", d.offset)
    return tuple(names)


def _map(types: Types, scope: Scope, d: Definition) -> ValType:
    key, value = (types.value(scope, cast("Ref", ref), d.offset) for ref in d.parts)
    if not isinstance(key, model.Prim) or key.name not in _MAP_KEYS:
        raise ValidationError("this type can't be the key of a map", d.offset)
    return model.MapType(key, value)


def _tuple(types: Types, scope: Scope, d: Definition) -> ValType:
    items = cast("list[Ref]", d.parts[0])
    if not items:
        raise ValidationError("a tuple has at least one type", d.offset)
    return model.TupleType(tuple(types.value(scope, ref, d.offset) for ref in items))


def _record(types: Types, scope: Scope, d: Definition) -> ValType:
    members = types.labelled(scope, d)
    return model.RecordType(tuple(model.Field(name, t) for name, t in members if t is not None))


_KINDS: dict[str, Callable[[Types, Scope, Definition], ValType]] = {
    "primitive": lambda k, s, d: cast("model.Prim", d.parts[0]),
    "record": _record,
    "variant": lambda k, s, d: model.VariantType(tuple(model.Case(n, t) for n, t in k.labelled(s, d))),
    "enum": lambda k, s, d: model.EnumType(_names(k, s, d)),
    "flags": lambda k, s, d: model.FlagsType(_names(k, s, d)),
    "tuple": _tuple,
    "list": lambda k, s, d: model.ListType(k.value(s, cast("Ref", d.parts[0]), d.offset)),
    "fixed-list": lambda k, s, d: model.ListType(k.value(s, cast("Ref", d.parts[0]), d.offset), cast(int, d.parts[1])),
    "option": lambda k, s, d: model.OptionType(k.value(s, cast("Ref", d.parts[0]), d.offset)),
    "result": lambda k, s, d: model.ResultType(
        k.optional(s, d.parts[0], d.offset), k.optional(s, d.parts[1], d.offset)
    ),
    "own": lambda k, s, d: model.OwnType(k.resource(s, d)),
    "borrow": lambda k, s, d: model.BorrowType(k.resource(s, d)),
    "stream": lambda k, s, d: model.StreamType(k.optional(s, d.parts[0], d.offset)),
    "future": lambda k, s, d: model.FutureType(k.optional(s, d.parts[0], d.offset)),
    "map": _map,
}
