"""The index spaces of component and instance types in a binary WIT package.

In: definitions and named types, in order. Out: what an index, or an alias, stands for.
Spec: `Binary.md`, "Type Definitions", "Alias Definitions".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias, cast

from wippywasm.errors import ValidationError
from wippywasm.model import ValType
from wippywasm.wit.decode_raw import Declaration, Definition
from wippywasm.wit.link import MAX_TYPE_DEPTH
from wippywasm.wit.resolved import TypeDef

Entry: TypeAlias = "Definition | TypeDef"


class Slot(NamedTuple):
    """A type index: what it stands for, the height of its tree, and whether it needs what is exported."""

    entry: Entry
    depth: int
    of_export: bool


class Instance(NamedTuple):
    """The types that an instance shows, and whether it is exported: then no import can need them."""

    types: Mapping[str, TypeDef]
    is_exported: bool = False


class Scope:
    """The types and instances of one component or instance type. A definition may only refer to what precedes it."""

    def __init__(self, outer: Scope | None) -> None:
        self.outer = outer
        self.slots: list[Slot] = []
        self.instances: list[Instance] = []
        self.made: dict[tuple[object, int], ValType] = {}
        """What each `Types` has made of definitions without a name: each once, however often it is used."""
        self._used: set[int] = set()

    def add(self, entry: object, *, of_export: bool = False) -> None:
        """The next type index. The height of its tree is checked here, so that walking it can't go too deep."""
        assert isinstance(entry, Definition | TypeDef)
        if isinstance(entry, TypeDef):
            self.slots.append(Slot(entry, entry.depth, of_export))
            return
        needed = [self._slot(ref, entry.offset) for ref in references(entry)]
        depth = 1 + max((slot.depth for slot in needed), default=0)
        if depth > MAX_TYPE_DEPTH:
            raise ValidationError(f"types nest more than {MAX_TYPE_DEPTH} deep", entry.offset)
        outer = {
            d.parts[1] for d in entry.parts if isinstance(d, Declaration) and d.kind == "outer" and d.parts[0] == 1
        }
        needed += [self._slot(index, entry.offset) for index in outer]
        self.slots.append(Slot(entry, depth, any(slot.of_export for slot in needed)))

    def check_import(self, d: Declaration) -> None:
        """Refuses an import of a type that needs what is exported."""
        index = d.parts[1] if len(d.parts) > 1 else None
        if index is not None and self._slot(index, d.offset).of_export:
            raise ValidationError(f"import `{d.name.name}` needs something that is exported", d.offset)

    def _slot(self, index: object, offset: int) -> Slot:
        assert isinstance(index, int)
        if index >= len(self.slots):
            raise ValidationError(f"there is no type {index} here", offset)
        return self.slots[index]

    def entry(self, index: object, offset: int) -> Entry:
        return self._slot(index, offset).entry

    def defined(self, index: object, kind: str, offset: int) -> Definition:
        entry = self.entry(index, offset)
        if not isinstance(entry, Definition) or entry.kind != kind:
            raise ValidationError(f"type {index} is not the type of {kind}s", offset)
        self._used.add(id(entry))
        return entry

    def unused(self) -> list[Definition]:
        """The types of instances and components of which there is none."""
        entries = [slot.entry for slot in self.slots]
        found = [e for e in entries if isinstance(e, Definition) and e.kind in ("instance", "component")]
        return [e for e in found if id(e) not in self._used]

    def component(self, index: object, offset: int) -> Definition:
        return self.defined(index, "component", offset)

    def alias(self, d: Declaration) -> None:
        """Adds the type that an alias takes from an instance."""
        index, name = cast("tuple[int, str]", d.parts)
        instance = self.instances[index] if index < len(self.instances) else Instance({})
        found = instance.types.get(name)
        if found is None:
            raise ValidationError(f"instance {index} has no type `{name}`", d.offset)
        self.add(found, of_export=instance.is_exported)

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
