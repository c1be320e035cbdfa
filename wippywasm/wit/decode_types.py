"""Type definitions of a binary WIT package to `TypeDef`s.

In: definitions with indices, and the scope that the indices are of. Out: named types with an owner, types without a
name, functions. What has no name in WIT, such as a record that nothing exports, is refused.
Spec: `Binary.md`, "Type Definitions"; `WIT.md`, "Package Format".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias, cast

from wippywasm import model
from wippywasm.errors import ValidationError, with_article
from wippywasm.model import ResourceType, ValType
from wippywasm.wit.borrows import Borrows
from wippywasm.wit.decode_raw import Declaration, Definition, Ref
from wippywasm.wit.link import MAX_TYPE_DEPTH
from wippywasm.wit.names import identifier_fault, words
from wippywasm.wit.resolved import Function, Owner, Param, Resolution, TypeDef

Entry: TypeAlias = "Definition | TypeDef"
_NEED_A_NAME = words("record variant enum flags")
_MAP_KEYS = words("bool u8 u16 u32 u64 s8 s16 s32 s64 char string")


def checked_label(name: str, offset: int) -> str:
    """`name`, which has to be an identifier. Raises ValidationError."""
    if fault := identifier_fault(name):
        raise ValidationError(fault, offset)
    return name


class Scope:
    """The types and instances of one component or instance type. A definition may only refer to what precedes it."""

    def __init__(self, outer: Scope | None) -> None:
        self.outer = outer
        self.entries: list[tuple[Entry, int]] = []
        self.instances: list[Mapping[str, TypeDef]] = []

    def add(self, entry: object) -> None:
        """The next type index. The height of its tree is checked here, so that walking it can't go too deep."""
        assert isinstance(entry, Definition | TypeDef)
        if isinstance(entry, TypeDef):
            depth = entry.depth
        else:
            depth = 1 + max((self._depth(ref, entry.offset) for ref in references(entry)), default=0)
            if depth > MAX_TYPE_DEPTH:
                raise ValidationError(f"types nest more than {MAX_TYPE_DEPTH} deep", entry.offset)
        self.entries.append((entry, depth))

    def _depth(self, index: int, offset: int) -> int:
        self.entry(index, offset)
        return self.entries[index][1]

    def entry(self, index: object, offset: int) -> Entry:
        assert isinstance(index, int)
        if index >= len(self.entries):
            raise ValidationError(f"there is no type {index} here", offset)
        return self.entries[index][0]

    def defined(self, index: object, kind: str, offset: int) -> Definition:
        entry = self.entry(index, offset)
        if not isinstance(entry, Definition) or entry.kind != kind:
            raise ValidationError(f"type {index} is not the type of {kind}s", offset)
        return entry

    def component(self, index: object, offset: int) -> Definition:
        return self.defined(index, "component", offset)

    def instance_type(self, d: Declaration) -> TypeDef:
        """The type that an alias takes from an instance."""
        index, name = cast("tuple[int, str]", d.parts)
        found = self.instances[index].get(name) if index < len(self.instances) else None
        if found is None:
            raise ValidationError(f"instance {index} has no type `{name}`", d.offset)
        return found

    def outer_type(self, d: Declaration) -> TypeDef:
        """The type that an alias takes from a scope around this one."""
        count, index = cast("tuple[int, int]", d.parts)
        scope: Scope | None = self
        for _ in range(min(count, 100)):
            scope = scope.outer if scope is not None else None
        if scope is None or count > 100:
            raise ValidationError(f"there are not {count} scopes around this one", d.offset)
        entry = scope.entry(index, d.offset)
        if not isinstance(entry, TypeDef):
            raise ValidationError(f"type {index} of an outer scope has no name there", d.offset)
        return entry


def references(definition: Definition) -> list[int]:
    """The type indices in a value type or function type; those of component types are of another scope."""
    if definition.kind in ("component", "instance"):
        return []
    found: list[int] = []
    pending = list(definition.parts[:1] if definition.kind == "fixed-list" else definition.parts)
    while pending:
        part = pending.pop()
        if isinstance(part, list | tuple):
            pending.extend(part)
        elif isinstance(part, int) and not isinstance(part, bool):
            found.append(part)
    return found


class Types:
    """Makes `TypeDef`s and functions for a resolution."""

    def __init__(self, resolution: Resolution) -> None:
        self.resolution = resolution
        self._values: dict[int, tuple[Definition, ValType]] = {}
        """What a definition stands for as a value, by its identity: each is made once, however often it is used."""
        self._borrows = Borrows()

    def named(self, scope: Scope, d: Declaration, owner: Owner) -> TypeDef:
        """The type of a `type` import or export."""
        name = checked_label(d.name.name, d.offset)
        definition = TypeDef(name, ("decoded",), owner)
        definition.external_id = d.name.external_id
        definition.define(ResourceType(name) if d.parts[0] == "resource" else self._target(scope, d))
        self.resolution.types.append(definition)
        return definition

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
        known = self._values.get(id(d))
        if known is not None:
            return known[1]
        value = self._kind(scope, d)
        if not isinstance(value, model.Prim):
            definition = TypeDef(None, ("decoded",))
            definition.define(value)
            self.resolution.types.append(definition)
            value = definition
        self._values[id(d)] = (d, value)
        return value

    def _kind(self, scope: Scope, d: Definition) -> ValType:
        if d.kind not in _KINDS:
            raise ValidationError(f"{with_article(d.kind)} type stands where a value type has to be", d.offset)
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

    def function(self, scope: Scope, d: Declaration, resources: Mapping[str, TypeDef]) -> Function:
        """The function of a `func` import or export; `resources` are those whose methods may stand here."""
        definition = scope.defined(d.parts[1], "func", d.offset)
        is_async, params, result = cast("tuple[bool, tuple[tuple[str, Ref], ...], Ref | None]", definition.parts)
        _check_unique([name for name, _ in params], definition.offset)
        function = Function(d.name.name, is_async=is_async, external_id=d.name.external_id)
        name_function(function, resources, d.offset)
        function.params = [Param(name, self.value(scope, ref, definition.offset)) for name, ref in params]
        function.result = self.optional(scope, result, definition.offset)
        if function.result is not None and self._borrows.within(function.result):
            raise ValidationError(f"`{function.name}` returns a `borrow`, which ends with the call", d.offset)
        _check_method(function, d.offset)
        return function


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
    """A method gets its resource first, a constructor returns it."""
    resource = function.resource
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


def _record(types: Types, scope: Scope, d: Definition) -> ValType:
    members = types.labelled(scope, d)
    return model.RecordType(tuple(model.Field(name, t) for name, t in members if t is not None))


_KINDS: dict[str, Callable[[Types, Scope, Definition], ValType]] = {
    "primitive": lambda k, s, d: cast("model.Prim", d.parts[0]),
    "record": _record,
    "variant": lambda k, s, d: model.VariantType(tuple(model.Case(n, t) for n, t in k.labelled(s, d))),
    "enum": lambda k, s, d: model.EnumType(_names(k, s, d)),
    "flags": lambda k, s, d: model.FlagsType(_names(k, s, d)),
    "tuple": lambda k, s, d: model.TupleType(tuple(k.value(s, r, d.offset) for r in cast("list[Ref]", d.parts[0]))),
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
