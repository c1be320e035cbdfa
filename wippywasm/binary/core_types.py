"""Bytes → core types: value types, recursive type groups, limits, memories, tables, globals, tags, imports.

In: a `Reader` at the type. Out: the types of `wippywasm.core`; a reference to a defined type is printed by what the
type is rather than by its index, so that types of two modules compare by structure.

Spec: WebAssembly core, `binary/types`, with multi-memory, memory64, threads, exceptions, GC, custom page sizes.
"""

from __future__ import annotations

from typing import NamedTuple

from wippywasm.binary.component import ModuleType
from wippywasm.binary.core_heap import ABSTRACT_HEAP, HEAPS, CoreReference, reference
from wippywasm.binary.limits import (
    BYTES_OF_NAME,
    CORE_COMPOSITE,
    CORE_FIELD,
    CORE_FUNCTION,
    CORE_MEMBER,
    CORE_MEMORY,
    CORE_PART,
    CORE_REFERENCE,
    CORE_TYPE,
    READING_CORE_REFERENCE,
)
from wippywasm.binary.reader import Reader
from wippywasm.budget import Budget, Cost
from wippywasm.core import (
    CoreExternType,
    CoreFuncType,
    CoreGlobalType,
    CoreHeapType,
    CoreImport,
    CoreMemoryType,
    CoreTableType,
    CoreTagType,
    CoreValType,
    Limits,
)
from wippywasm.errors import ValidationError

NUMERIC = {0x7F: "i32", 0x7E: "i64", 0x7D: "f32", 0x7C: "f64", 0x7B: "v128"}
REFERENCES = {code: reference(True, HEAPS[name]) for code, name in ABSTRACT_HEAP.items()}
SIMPLE: dict[int, CoreValType] = {**NUMERIC, **REFERENCES}
PACKED = {0x78: "i8", 0x77: "i16"}

MAX_PARAMS = 1000
MAX_FIELDS = 10_000
MAX_SUPERTYPES = 1
MAX_SUBTYPING_DEPTH = 63
READABLE = 64
"""A printed type longer than this is cut and told apart by a digest, or sharing would make it exponentially long."""

_IN_GROUP = "$rec."


class Member(NamedTuple):
    """A member of a recursive group: how it prints, its supertype's name if it has one, and the abstract type above."""

    func: CoreFuncType | None
    text: str
    kind: CoreHeapType
    supertype: str | None = None


class CoreTypes:
    """A core type index space while it grows: function and module types, and None for what is neither."""

    def __init__(self) -> None:
        self.types: list[CoreFuncType | ModuleType | None] = []
        self.names: list[str] = []
        self.open: set[int] = set()
        """Those that may have subtypes."""
        self.heaps: dict[str, CoreHeapType] = {}
        """By name what references may refer to."""
        self.references: dict[tuple[bool, str], CoreReference] = {}

    def add(self, type: CoreFuncType | ModuleType | None, name: str) -> None:
        self.types.append(type)
        self.names.append(name)

    def alias(self, space: CoreTypes, index: int) -> None:
        """Add what another space has at `index`."""
        if index in space.open:
            self.open.add(len(self.types))
        name = space.names[index]
        self.add(space.types[index], name)
        if name in space.heaps:
            self.heaps[name] = space.heaps[name]

    def reference(self, nullable: bool, heap: str) -> CoreReference:
        """The type of references to `heap`, one object for each."""
        found = self.references.get((nullable, heap))
        if found is None:
            type = self.heaps.get(heap) or HEAPS.get(heap) or CoreHeapType(heap)  # the last stands within a group
            found = self.references[nullable, heap] = reference(nullable, type)
        return found

    def func(self, index: int, offset: int) -> CoreFuncType:
        """The function type at `index`; `ValidationError` where there is none."""
        if index >= len(self.types):
            raise ValidationError(f"unknown type {index}: type index out of bounds", offset)
        found = self.types[index]
        if not isinstance(found, CoreFuncType):
            raise ValidationError(f"type index {index} is not a function type", offset)
        return found


class CoreTypeReader:
    """Reads types against an index space `space`; `group` is the recursive group being read, as (first, count)."""

    def __init__(self, reader: Reader, space: CoreTypes, budget: Budget) -> None:
        self.reader = reader
        self.budget = budget
        self.space = space
        self.group: tuple[int, int] = (0, 0)

    # ---- value types -----------------------------------------------------------------------------------------------

    def val_type(self) -> CoreValType:
        reader = self.reader
        code = reader.peek()
        simple = SIMPLE.get(code)
        if simple is not None:
            reader.pos += 1
            return simple
        return self._reference(code)

    def ref_type(self) -> CoreValType:
        start = self.reader.pos
        type = self.val_type()
        if type in NUMERIC.values():
            raise self.reader.malformed(f"malformed reference type: {type} is none", start)
        return type

    def _reference(self, code: int) -> CoreValType:
        reader = self.reader
        if code not in (0x63, 0x64, 0x65):
            raise reader.bad_byte(code, "a core value type", reader.pos)
        reader.pos += 1
        if code == 0x65:
            return self.space.reference(True, f"(shared {self._abstract()})")
        known = len(self.space.references)
        found = self.space.reference(code == 0x63, self.heap_type())
        self.budget.spend(READING_CORE_REFERENCE, reader.pos)
        if len(self.space.references) > known:
            self.budget.define(CORE_REFERENCE, reader.pos)
        return found

    def heap_type(self) -> str:
        reader = self.reader
        if reader.peek() == 0x65:
            reader.pos += 1
            return f"(shared {self._abstract()})"
        start = reader.pos
        index = reader.s33()
        if index >= 0:
            return self._concrete(index, start)
        name = ABSTRACT_HEAP.get(index & 0x7F) if index >= -0x40 else None
        if name is None:
            raise reader.malformed("malformed heap type", start)
        return name

    def _abstract(self) -> str:
        start = self.reader.pos
        name = ABSTRACT_HEAP.get(self.reader.byte())
        if name is None:
            raise self.reader.malformed("malformed heap type", start)
        return name

    def _concrete(self, index: int, start: int) -> str:
        first, count = self.group
        if first <= index < first + count:
            return f"{_IN_GROUP}{index - first}"
        if index >= len(self.space.names):
            raise ValidationError(f"unknown type {index}: type index out of bounds", start)
        if isinstance(self.space.types[index], ModuleType):
            raise ValidationError(f"type index {index} is a module type", start)
        return self.space.names[index]

    # ---- defined types ---------------------------------------------------------------------------------------------

    def rec_type(self) -> None:
        """Read a recursive group, or a single type, into the index space."""
        reader = self.reader
        count = 1
        if reader.peek() == 0x4E:
            reader.pos += 1
            count = reader.count("types")
            self.budget.define(CORE_TYPE, reader.pos, count)
            self.budget.define(CORE_MEMBER, reader.pos, count)
        self.group = (len(self.space.types), count)
        first = len(self.space.types)
        members = [self.sub_type(first + i) for i in range(count)]
        self.group = (0, 0)
        self._close_group(members)

    def _close_group(self, members: list[Member]) -> None:
        text = " ".join([member.text for member in members])
        self.budget.spend(len(text) // BYTES_OF_NAME, self.reader.pos)
        key = bounded(text).replace("$", "")
        names = [key] if len(members) == 1 else [f"(rec {key}).{i}" for i in range(len(members))]
        heaps = self.space.heaps

        def outside(heap: str) -> str:
            return names[int(heap[len(_IN_GROUP) :])] if heap.startswith(_IN_GROUP) else heap

        def closed(type: CoreValType) -> CoreValType:
            if not isinstance(type, CoreReference) or not type.heap.name.startswith(_IN_GROUP):
                return type
            return self.space.reference(type.nullable, outside(type.heap.name))

        for member, name in zip(members, names):
            heaps[name] = self._heap(name, member.kind, heaps[outside(member.supertype)] if member.supertype else None)
        for member, name in zip(members, names):
            func = member.func
            if func is not None and name != bounded(print_func(func)):
                func = CoreFuncType(tuple(map(closed, func.params)), tuple(map(closed, func.results)), heaps[name])
            self.space.add(func, name)

    def _heap(self, name: str, kind: CoreHeapType, supertype: CoreHeapType | None) -> CoreHeapType:
        if supertype is None:
            return CoreHeapType(name, kind)
        depth = supertype.depth + 1
        if depth > MAX_SUBTYPING_DEPTH:
            raise ValidationError(f"sub type hierarchy too deep: {depth} supertypes", self.reader.pos)
        return CoreHeapType(name, supertype, depth)

    def sub_type(self, own: int) -> Member:
        """One member of a group, `own` its index."""
        reader = self.reader
        code = reader.peek()
        if code not in (0x50, 0x4F):
            return self.comp_type()
        reader.pos += 1
        start = reader.pos
        self.budget.define(CORE_REFERENCE, start)
        count = self._count_up_to(MAX_SUPERTYPES, "supertypes")
        supertype = self._supertype(reader.u32(), own, start) if count else None
        member = self.comp_type()
        if code == 0x50:
            self.space.open.add(own)
        elif supertype is None:
            return member
        words = [*["final"] * (code == 0x4F), *[supertype or ""] * count, member.text]
        return Member(member.func, f"(sub {' '.join(words)})", member.kind, supertype)

    def _supertype(self, index: int, own: int, start: int) -> str:
        if index >= own:
            raise ValidationError(f"unknown type {index}: type index out of bounds for a supertype", start)
        name = self._concrete(index, start)
        if index not in self.space.open:
            raise ValidationError("sub type cannot have a final super type", start)
        return name

    def comp_type(self) -> Member:
        shared = self.reader.peek() == 0x65
        self.reader.pos += shared
        kind, func, text = self._composite()
        if shared:
            return Member(func, f"(shared {text})", HEAPS[f"(shared {kind})"])
        return Member(func, text, HEAPS[kind])

    def _composite(self) -> tuple[str, CoreFuncType | None, str]:
        """Its kind, what it is where that is a function, and how it prints."""
        reader = self.reader
        start = reader.pos
        code = reader.byte()
        self.budget.define(CORE_FUNCTION if code == 0x60 else CORE_COMPOSITE, start)
        if code == 0x60:
            func = CoreFuncType(self._val_types(), self._val_types())
            return "func", func, print_func(func)
        if code == 0x5F:
            fields = [self._field() for _ in range(self._count_up_to(MAX_FIELDS, "fields", CORE_FIELD))]
            return "struct", None, f"(struct {' '.join(fields)})"
        if code == 0x5E:
            return "array", None, f"(array {self._field()})"
        if code == 0x5D:
            return "cont", None, f"(cont {self.heap_type()})"
        raise reader.bad_byte(code, "a core type", start)

    def _val_types(self) -> tuple[CoreValType, ...]:
        return tuple([self.val_type() for _ in range(self._count_up_to(MAX_PARAMS, "parameters or results"))])

    def _count_up_to(self, most: int, what: str, cost: Cost = CORE_PART) -> int:
        start = self.reader.pos
        count = self.reader.count(what)
        if count > most:
            raise ValidationError(f"{count} {what}: at most {most} are allowed", start)
        self.budget.define(cost, start, count)
        return count

    def _field(self) -> str:
        packed = PACKED.get(self.reader.peek())
        if packed is None:
            storage = self.val_type()
        else:
            self.reader.pos += 1
            storage = packed
        return f"(mut {storage})" if self.reader.flag("the mutability of a field") else storage

    # ---- extern types ----------------------------------------------------------------------------------------------

    def import_(self) -> CoreImport:
        return CoreImport(self.reader.name(), self.reader.name(), self.extern_type())

    def extern_type(self) -> CoreExternType:
        start = self.reader.pos
        code = self.reader.byte()
        if code:  # functions share their types
            self.budget.define(CORE_MEMORY, start)
        match code:
            case 0x00:
                return self.func_by_index()
            case 0x01:
                return self.table_type()
            case 0x02:
                return self.memory_type()
            case 0x03:
                return self.global_type()
            case 0x04:
                return self.tag_type()
            case kind:
                raise self.reader.bad_byte(kind, "a core import or export", start)

    def func_by_index(self) -> CoreFuncType:
        start = self.reader.pos
        return self.space.func(self.reader.u32(), start)

    def table_type(self) -> CoreTableType:
        element = self.ref_type()
        start = self.reader.pos
        flags = self._limit_flags(0x07, "a table")
        limits = self._limits(flags)
        check_limits(limits, 1 << (64 if flags & 4 else 32), "table size", start)
        return CoreTableType(element, limits, bool(flags & 4))

    def memory_type(self) -> CoreMemoryType:
        start = self.reader.pos
        flags = self._limit_flags(0x0F, "a memory")
        limits = self._limits(flags)
        if flags & 2 and limits.maximum is None:
            raise ValidationError("shared memory must have maximum size", start)
        page_size = self.reader.u32() if flags & 8 else 16
        if page_size not in (0, 16):
            raise ValidationError("invalid custom page size", start)
        most = (1 << (64 if flags & 4 else 32)) >> page_size
        check_limits(limits, most, "memory size", start)
        return CoreMemoryType(limits, bool(flags & 2), bool(flags & 4), page_size)

    def _limit_flags(self, allowed: int, what: str) -> int:
        start = self.reader.pos
        flags = self.reader.byte()
        if flags & ~allowed:
            raise self.reader.malformed(f"malformed limits flags {flags:#04x} of {what}", start)
        return flags

    def _limits(self, flags: int) -> Limits:
        read = self.reader.u64 if flags & 4 else self.reader.u32
        minimum = read()
        return Limits(minimum, read() if flags & 1 else None)

    def global_type(self) -> CoreGlobalType:
        value = self.val_type()
        start = self.reader.pos
        flags = self.reader.byte()
        if flags > 1:
            raise self.reader.malformed(f"malformed mutability {flags:#04x} of a global", start)
        return CoreGlobalType(value, bool(flags))

    def tag_type(self) -> CoreTagType:
        start = self.reader.pos
        if self.reader.byte() != 0:
            raise self.reader.malformed("invalid tag attributes", start)
        type = self.func_by_index()
        if type.results:
            raise ValidationError("invalid exception type: non-empty tag result type", start)
        return CoreTagType(type)


def check_limits(limits: Limits, most: int, what: str, offset: int) -> None:
    """`ValidationError` where the bounds are too large or the wrong way round."""
    if max(limits.minimum, limits.maximum or 0) > most:
        raise ValidationError(f"{what} must be at most {most}", offset)
    if limits.maximum is not None and limits.minimum > limits.maximum:
        raise ValidationError(f"{what}: size minimum must not be greater than maximum", offset)


def bounded(text: str) -> str:
    """The text itself where it is short, else its head and a digest."""
    if len(text) <= READABLE:
        return text
    import hashlib  # with a library of its own, for the few types that are long

    return f"{text[: READABLE // 2]}...#{hashlib.sha256(text.encode()).hexdigest()[:24]}"


def print_func(type: CoreFuncType) -> str:
    """A function type as text, `(func (param i32) (result i64))`; as its declaration where that says more."""
    if type.declared is not None:
        return type.declared.name
    params = f" (param {' '.join(type.params)})" if type.params else ""
    results = f" (result {' '.join(type.results)})" if type.results else ""
    return f"(func{params}{results})"
