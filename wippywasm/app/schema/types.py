"""Types of fields: each checks a node and gives its plain value.

In: a node and its scope. Out: the value, or None after saying what is wrong; a wrong value never stops the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Protocol

from wippywasm.app.definition.node import Node
from wippywasm.app.definition.scalars import resolve
from wippywasm.app.entry import Reference
from wippywasm.app.ids import is_id
from wippywasm.app.schema.scope import Scope, not_yet
from wippywasm.app.suggest import did_you_mean, listing, near
from wippywasm.dataclass import dataclass
from wippywasm.errors import with_article


class FieldType(Protocol):
    """The type of a field; `words` is what a reader is told to write."""

    @property
    def words(self) -> str: ...
    def check(self, node: Node, scope: Scope) -> Any: ...


@dataclass(frozen=True)
class Field:
    """A field of a kind. `later` names a field that is known but not available yet."""

    type: FieldType
    required: bool = False
    later: str | None = None


def required(type: FieldType) -> Field:
    return Field(type, required=True)


def refuse(node: Node, scope: Scope, words: str, hint: str | None = None) -> None:
    """Say that a value is not what its type wants."""
    scope.problem(f"expected {words}, got {node.describe()}", hint)


def typed(node: Node) -> Any:
    """The value; that of an environment variable is text, and stands for what YAML would read it as."""
    return resolve(node.value) if node.variable and isinstance(node.value, str) else node.value


@dataclass(frozen=True)
class Text:
    """Text of at least `minimum` characters; `rule` gives a complaint about a value, or None."""

    words: str = "text"
    rule: Callable[[str], str | None] | None = None
    minimum: int = 1

    def check(self, node: Node, scope: Scope) -> str | None:
        if not isinstance(node.value, str) or len(node.value) < self.minimum:
            hint = "put it in quotes" if isinstance(node.value, int | float) else None
            refuse(node, scope, self.words, hint)
            return None
        complaint = self.rule(node.value) if self.rule is not None else None
        if complaint is not None:
            scope.problem(complaint)
        return node.value


@dataclass(frozen=True)
class Bool:
    words: str = "true or false"

    def check(self, node: Node, scope: Scope) -> bool | None:
        value = typed(node)
        if isinstance(value, bool):
            return value
        refuse(node, scope, self.words)
        return None


@dataclass(frozen=True)
class Scalar:
    """Text, or a number or boolean that stands for its text."""

    words: str = "text"

    def check(self, node: Node, scope: Scope) -> str | None:
        value = node.value
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, str | int | float):
            return str(value)
        refuse(node, scope, self.words)
        return None


@dataclass(frozen=True)
class Int:
    minimum: int = 0
    maximum: int = 2**53

    @property
    def words(self) -> str:
        if self.maximum == 2**53:
            return f"a whole number, {self.minimum} or more"
        return f"a whole number from {self.minimum} to {self.maximum}"

    def check(self, node: Node, scope: Scope) -> int | None:
        value = typed(node)
        if isinstance(value, int) and not isinstance(value, bool) and self.minimum <= value <= self.maximum:
            return value
        refuse(node, scope, self.words)
        return None


@dataclass(frozen=True)
class Choice:
    """One of some words; those in `later` are known but not available yet."""

    options: tuple[str, ...]
    later: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        return f"one of {listing(self.options)}"

    def check(self, node: Node, scope: Scope) -> str | None:
        value = node.value
        if isinstance(value, str) and value in self.options:
            return value
        if isinstance(value, str) and value in self.later:
            scope.problem(not_yet(f"'{value}'"), f"use {self.words}")
            return None
        hint = did_you_mean(value, (*self.options, *self.later)) if isinstance(value, str) else None
        refuse(node, scope, self.words, hint)
        return None


@dataclass(frozen=True)
class ListOf:
    """At least `minimum` items, each of one type."""

    type: FieldType
    minimum: int = 0

    @property
    def words(self) -> str:
        return f"a list, each item {self.type.words}"

    def check(self, node: Node, scope: Scope) -> tuple[Any, ...] | None:
        if not isinstance(node.value, tuple) or len(node.value) < self.minimum:
            refuse(node, scope, self.words, "write it as [a, b] or as lines that start with '- '")
            return None
        return tuple(self.type.check(item, scope.item(i, item)) for i, item in enumerate(node.value))


@dataclass(frozen=True)
class MapOf:
    """Any names, each with a value of one type."""

    type: FieldType

    @property
    def words(self) -> str:
        return f"a mapping of names, each to {self.type.words}"

    def check(self, node: Node, scope: Scope) -> Mapping[str, Any] | None:
        if not node.is_mapping:
            refuse(node, scope, self.words)
            return None
        entries = node.mapping.items()
        return MappingProxyType({name: self.type.check(child, scope.child(name, child)) for name, child in entries})


@dataclass(frozen=True)
class Struct:
    """A mapping with known fields; `is_open` lets others through as they are."""

    fields: Mapping[str, Field]
    is_open: bool = False
    words: str = "a mapping"

    def check(self, node: Node, scope: Scope) -> Mapping[str, Any] | None:
        if not node.is_mapping:
            refuse(node, scope, self.words, f"its fields are {listing(self.fields)}")
            return None
        return check_fields(self, node.mapping, scope)


def check_fields(struct: Struct, values: Mapping[str, Node], scope: Scope) -> Mapping[str, Any]:
    """Check every field there is, and miss those that must be there; a misspelt one is one problem, not two."""
    done: dict[str, Any] = {}
    for name, node in values.items():
        known = struct.fields.get(name)
        if known is not None and known.later is not None:
            scope.child(name, node).problem(not_yet(known.later))
        elif known is not None:
            done[name] = known.type.check(node, scope.child(name, node))
        elif struct.is_open:
            done[name] = Anything().check(node, scope.child(name, node))
        else:
            _refuse_field(struct, name, node, scope)
    meant = {
        n for name in values if name not in struct.fields and not struct.is_open for n in near(name, struct.fields)
    }
    for name, known in struct.fields.items():
        if known.required and name not in values and name not in meant:
            missing = scope.at.child(name)
            missing.problem("required, but missing", f"give {known.type.words}")
    return MappingProxyType(done)


def _refuse_field(struct: Struct, name: str, node: Node, scope: Scope) -> None:
    hint = did_you_mean(name, struct.fields) or f"the fields here are {listing(struct.fields)}"
    scope.child(name, node).problem("no such field", hint)


@dataclass(frozen=True)
class Anything:
    words: str = "any value"

    def check(self, node: Node, scope: Scope) -> Any:
        if isinstance(node.value, tuple):
            return tuple(self.check(item, scope.item(i, item)) for i, item in enumerate(node.value))
        if node.is_mapping:
            entries = node.mapping.items()
            return MappingProxyType({name: self.check(child, scope.child(name, child)) for name, child in entries})
        return node.value


@dataclass(frozen=True)
class Ref:
    """A reference to another entry; without `:` in the entry's own namespace. Gives the full id."""

    kinds: tuple[str, ...]

    @property
    def words(self) -> str:
        return f"the id of {with_article(' or '.join(self.kinds))} entry"

    def check(self, node: Node, scope: Scope) -> str | None:
        if not isinstance(node.value, str):
            refuse(node, scope, self.words)
            return None
        id = scope.resolve(node.value)
        if not is_id(id):
            refuse(node, scope, self.words, "an id is written namespace:name")
            return None
        at = scope.at
        scope.references.append(Reference(id, self.kinds, at.field, at.path, at.line))
        return id
