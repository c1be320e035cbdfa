"""The type model shared by WIT text and component binaries.

In: field values. Out: immutable types, interned: two structurally equal types are one object,
so `is`, `==` and dictionary look-ups cost the same however large a type is. That matters because hostile
input can name a tree of 2^30 nodes in thirty lines, as a graph that shares its nodes. Fields, cases and parameters are
pairs that compare by what they hold: a type may have ten thousand, and an interned one takes five times the room.

Spec: component-model `Binary.md` (type definitions), `WIT.md`, and the classes at the head of `CanonicalABI.md`.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import field, fields
from functools import partial
from typing import Any, ClassVar, NamedTuple, TypeVar

from wippywasm.dataclass import dataclass
from wippywasm.unfolded import head

T = TypeVar("T")

_lock = threading.Lock()
_interned: weakref.WeakValueDictionary[tuple[Any, ...], Any] = weakref.WeakValueDictionary()


class _Interned(type):
    """Metaclass that returns the one object for a class and its field values."""

    def __call__(cls: type[T], *args: Any, **kwargs: Any) -> T:
        if getattr(cls, "_unique", False):
            return super().__call__(*args, **kwargs)  # type: ignore[misc, no-any-return]
        defaults = cls.__dict__.get("_field_defaults")
        if defaults is None:
            defaults = _remember_fields(cls)
        if kwargs:
            new = super().__call__(*args, **kwargs)  # type: ignore[misc]
            key = (cls, *[getattr(new, name) for name in cls._field_names])  # type: ignore[attr-defined]
        else:
            key = (cls, *args, *defaults[len(args) :])
            found = _interned.get(key)
            if found is not None:
                return found  # type: ignore[no-any-return]
            new = super().__call__(*args)  # type: ignore[misc]
        with _lock:
            return _interned.setdefault(key, new)  # type: ignore[no-any-return]


def _remember_fields(cls: Any) -> tuple[Any, ...]:
    """Keep the names and defaults of a class's fields, as a call gives them; the defaults."""
    given = [f for f in fields(cls) if f.init]
    cls._field_names = tuple([f.name for f in given])
    cls._field_defaults = tuple([f.default for f in given])
    return cls._field_defaults  # type: ignore[no-any-return]


def _repr(self: Any) -> str:
    """As a dataclass has it, but cut: a type of a few parts can be 2^30 of them as text."""
    return head(_pieces(self), self.size if hasattr(self, "size") else _size([self.type]))


def _pieces(value: Any) -> Iterator[str]:
    own: object = type(value).__repr__
    if own is _repr or isinstance(value, Field | Case | Param):
        yield f"{type(value).__qualname__}("
        shown = getattr(value, "_fields", None) or [f.name for f in fields(value) if f.repr]
        for i, name in enumerate(shown):
            yield f"{', ' * (i > 0)}{name}="
            yield from _pieces(getattr(value, name))
        yield ")"
    elif type(value) is tuple:
        yield "("
        for i, part in enumerate(value):
            yield ", " * (i > 0)
            yield from _pieces(part)
        yield ",)" if len(value) == 1 else ")"
    else:
        yield repr(value)


def _depth(parts: Iterable[Any]) -> int:
    return 1 + max([p.depth for p in parts if p is not None], default=0)


def _size(parts: Iterable[Any]) -> int:
    size: int = 1 + sum([p.size for p in parts if p is not None])
    return size


def _has_resource(parts: Iterable[Any]) -> bool:
    return any(p.has_resource for p in parts if p is not None)


@dataclass(frozen=True, eq=False, repr=False)
class ValType(metaclass=_Interned):
    """A value type. `depth` is the height of its tree: recursion over a type is bounded by it. `size` is how many parts
    the tree has; a name has one.

    `has_resource` tells whether a handle is anywhere in the type, so that what exchanges resources leaves others alone.
    """

    depth: int = field(init=False, default=1, repr=False)
    size: ClassVar[int] = 1
    has_resource: ClassVar[bool] = False

    __repr__ = _repr

    def _know(self, *parts: Any) -> None:
        """Find out what there is to know of a type of these parts."""
        depth, size, has_resource = 0, 1, False
        for part in parts:
            if part is not None:
                depth = max(depth, part.depth)
                size += part.size
                has_resource = has_resource or part.has_resource
        object.__setattr__(self, "depth", depth + 1)
        object.__setattr__(self, "size", size)
        if has_resource:
            object.__setattr__(self, "has_resource", True)


@dataclass(frozen=True, eq=False, repr=False)
class Prim(ValType):
    """A primitive, by its WIT name: `bool`, `s8` … `u64`, `f32`, `f64`, `char`, `string`, `error-context`."""

    name: str


BOOL = Prim("bool")
S8 = Prim("s8")
U8 = Prim("u8")
S16 = Prim("s16")
U16 = Prim("u16")
S32 = Prim("s32")
U32 = Prim("u32")
S64 = Prim("s64")
U64 = Prim("u64")
F32 = Prim("f32")
F64 = Prim("f64")
CHAR = Prim("char")
STRING = Prim("string")
ERROR_CONTEXT = Prim("error-context")
PRIMS: dict[str, Prim] = {
    p.name: p for p in (BOOL, S8, U8, S16, U16, S32, U32, S64, U64, F32, F64, CHAR, STRING, ERROR_CONTEXT)
}


@dataclass(frozen=True, eq=False, repr=False)
class ListType(ValType):
    """`list<element>`, or `list<element, length>` where `length` is given."""

    element: ValType
    length: int | None = None

    def __post_init__(self) -> None:
        self._know(self.element)


class Field(NamedTuple):
    """A field of a record."""

    name: str
    type: ValType

    def __repr__(self) -> str:
        return _repr(self)


@dataclass(frozen=True, eq=False, repr=False)
class RecordType(ValType):
    fields: tuple[Field, ...]

    def __post_init__(self) -> None:
        self._know(*[f.type for f in self.fields])


@dataclass(frozen=True, eq=False, repr=False)
class TupleType(ValType):
    items: tuple[ValType, ...]

    def __post_init__(self) -> None:
        self._know(*self.items)


class Case(NamedTuple):
    """A case of a variant; `type` is None where it has no payload."""

    name: str
    type: ValType | None = None

    def __repr__(self) -> str:
        return _repr(self)


@dataclass(frozen=True, eq=False, repr=False)
class VariantType(ValType):
    cases: tuple[Case, ...]

    def __post_init__(self) -> None:
        self._know(*[c.type for c in self.cases])


@dataclass(frozen=True, eq=False, repr=False)
class EnumType(ValType):
    names: tuple[str, ...]


@dataclass(frozen=True, eq=False, repr=False)
class FlagsType(ValType):
    names: tuple[str, ...]


@dataclass(frozen=True, eq=False, repr=False)
class OptionType(ValType):
    type: ValType

    def __post_init__(self) -> None:
        self._know(self.type)


@dataclass(frozen=True, eq=False, repr=False)
class ResultType(ValType):
    ok: ValType | None = None
    err: ValType | None = None

    def __post_init__(self) -> None:
        self._know(self.ok, self.err)


@dataclass(frozen=True, eq=False, repr=False)
class MapType(ValType):
    key: ValType
    value: ValType

    def __post_init__(self) -> None:
        self._know(self.key, self.value)


@dataclass(frozen=True, eq=False, repr=False)
class StreamType(ValType):
    element: ValType | None = None

    def __post_init__(self) -> None:
        self._know(self.element)


@dataclass(frozen=True, eq=False, repr=False)
class FutureType(ValType):
    element: ValType | None = None

    def __post_init__(self) -> None:
        self._know(self.element)


@dataclass(eq=False, slots=True)
class ResourceType:
    """A resource type: equal only to itself. `name` is for messages."""

    name: str = ""
    depth: ClassVar[int] = 1
    has_resource: ClassVar[bool] = True


@dataclass(frozen=True, eq=False, repr=False)
class OwnType(ValType):
    """`own<resource>`; in WIT packages `resource` may be the `TypeDef` that names it."""

    resource: ResourceType | TypeDef
    has_resource: ClassVar[bool] = True


@dataclass(frozen=True, eq=False, repr=False)
class BorrowType(ValType):
    """`borrow<resource>`; in WIT packages `resource` may be the `TypeDef` that names it."""

    resource: ResourceType | TypeDef
    has_resource: ClassVar[bool] = True


class Param(NamedTuple):
    """A named parameter of a function."""

    name: str
    type: ValType

    def __repr__(self) -> str:
        return _repr(self)


@dataclass(frozen=True, eq=False, repr=False)
class FuncType(metaclass=_Interned):
    """A function type: named parameters, at most one result."""

    params: tuple[Param, ...] = ()
    result: ValType | None = None
    is_async: bool = False
    has_resource: ClassVar[bool] = False

    __repr__ = _repr

    def __post_init__(self) -> None:
        if _has_resource(self._types()):
            object.__setattr__(self, "has_resource", True)

    @property
    def depth(self) -> int:
        return _depth(self._types())

    @property
    def size(self) -> int:
        return _size(self._types())

    def _types(self) -> list[ValType | None]:
        return [*[p.type for p in self.params], self.result]


class TypeDef(ValType):
    """A named type of a WIT package, usable wherever a value type is.

    `kind` is what the name stands for: a value type, a `ResourceType`, or another `TypeDef` for an alias; `root` is the
    end of a chain of aliases. Both are set once, by the resolver. Equal only to itself; `structural` gives the nameless
    type behind it. A name adds nothing to the `depth` of a type.
    """

    __slots__ = ("_root", "depth", "has_resource", "kind", "name", "size")  # a package has thousands of them

    _unique: ClassVar[bool] = True

    name: str
    kind: ValType | ResourceType
    _root: TypeDef | None
    """None where it is this one: referring to itself it would go at a collection only, and its parts at others."""

    def __init__(self, name: str) -> None:
        object.__setattr__(self, "name", name)

    def define(self, kind: ValType | ResourceType) -> None:
        """Set what the name stands for, once."""
        if hasattr(self, "kind"):
            raise RuntimeError(f"type {self.name} is already defined")
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "_root", kind.root if isinstance(kind, TypeDef) else None)
        object.__setattr__(self, "depth", kind.depth)
        object.__setattr__(self, "size", kind.size if not self.name and isinstance(kind, ValType) else 1)
        object.__setattr__(self, "has_resource", kind.has_resource)

    @property
    def root(self) -> TypeDef:
        return self if self._root is None else self._root

    def __repr__(self) -> str:
        return f"TypeDef({self.name!r})"


def resource_of(resource: ResourceType | TypeDef) -> ResourceType:
    """The resource type behind the name of one, through aliases."""
    if isinstance(resource, ResourceType):
        return resource
    kind = resource.root.kind
    if not isinstance(kind, ResourceType):
        raise TypeError(f"{resource.name} is not a resource")
    return kind


def field_types(t: RecordType | TupleType) -> tuple[ValType, ...]:
    """The types of the fields of a record, or of the items of a tuple."""
    return t.items if isinstance(t, TupleType) else tuple([f.type for f in t.fields])


def parts(t: ValType) -> Sequence[ValType]:
    """The types that a type is made of, one level deep; a name is made of what it stands for. A resource is no part of
    its handles."""
    match t:
        case RecordType() | TupleType():
            return field_types(t)
        case VariantType(cases=cases):
            return [c.type for c in cases if c.type is not None]
        case ListType(element=inner) | OptionType(type=inner):
            return (inner,)
        case MapType(key=key, value=value):
            return key, value
        case ResultType(ok=ok, err=err):
            return [x for x in (ok, err) if x is not None]
        case StreamType(element=ValType() as inner) | FutureType(element=ValType() as inner):
            return (inner,)
        case TypeDef(kind=ValType() as kind):
            return (kind,)
    return ()


def with_parts(
    t: ValType, value: Callable[[ValType], ValType], resource: Callable[[ResourceType | TypeDef], ResourceType]
) -> ValType:
    """The same type constructor over other parts: each type in it through `value`, a handle's through `resource`.

    The parts come in order. A type without parts, and a name, is given back as it is.
    """

    def optional(part: ValType | None) -> ValType | None:
        return None if part is None else value(part)

    match t:
        case ListType(element=element, length=length):
            return ListType(value(element), length)
        case RecordType(fields=record):
            return RecordType(tuple([Field(f.name, value(f.type)) for f in record]))
        case TupleType(items=items):
            return TupleType(tuple(map(value, items)))
        case VariantType(cases=cases):
            return VariantType(tuple([Case(c.name, optional(c.type)) for c in cases]))
        case OptionType(type=inner):
            return OptionType(value(inner))
        case ResultType(ok=ok, err=err):
            return ResultType(optional(ok), optional(err))
        case MapType(key=key, value=of):
            return MapType(value(key), value(of))
        case StreamType(element=maybe):
            return StreamType(optional(maybe))
        case FutureType(element=maybe):
            return FutureType(optional(maybe))
        case OwnType(resource=named):
            return OwnType(resource(named))
        case BorrowType(resource=named):
            return BorrowType(resource(named))
        case _:
            return t


def structural(t: ValType) -> ValType:
    """The same type without names: every `TypeDef` in it replaced by what it stands for."""
    return _structural({}, t)


def _structural(memo: dict[ValType, ValType], t: ValType) -> ValType:
    done = memo.get(t)
    if done is None:
        if isinstance(t, TypeDef):
            kind = t.root.kind
            if not isinstance(kind, ValType):
                raise TypeError(f"resource {t.name} is not a value type; use own or borrow")
            done = _structural(memo, kind)
        else:
            done = with_parts(t, partial(_structural, memo), resource_of)
        memo[t] = done
    return done


def structural_func(t: FuncType) -> FuncType:
    """`structural` of every parameter and of the result."""
    return FuncType(
        tuple(Param(p.name, structural(p.type)) for p in t.params),
        None if t.result is None else structural(t.result),
        t.is_async,
    )
