"""Types whose values are objects of given Python classes, instead of plain dicts, names and `Variant`s.

In: a structural type and the class (or classes) of its values. Out: the same type, told apart from it and from the type
with other classes, so that the code generated for a function depends on its classes as it does on its types.

Classes take part only where Python stands on one side of a call. What a class does not stand for is still accepted:
a dict is as good as the record's class.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from wippywasm.dataclass import dataclass
from wippywasm.errors import InvalidError
from wippywasm.model import EnumType, FlagsType, RecordType, ValType, VariantType


@dataclass(frozen=True, eq=False)
class ClassRecord(RecordType):
    """A record whose values are of `cls`, a dataclass with the record's fields in their order."""

    cls: type[Any]

    @property
    def attributes(self) -> tuple[str, ...]:
        names: tuple[str, ...] = self.cls.__match_args__
        return names


@dataclass(frozen=True, eq=False)
class ClassVariant(VariantType):
    """A variant with a class for each case: one that takes the payload and has it as `value`, or takes nothing."""

    classes: tuple[type[Any], ...]


@dataclass(frozen=True, eq=False)
class ClassEnum(EnumType):
    """An enum whose values are the members of `cls`, which are equal to their WIT names.

    The field is the class and not its members: members of two classes with the same names are equal to each other.
    """

    cls: type[Enum]

    @property
    def members(self) -> tuple[Enum, ...]:
        return tuple(self.cls)


@dataclass(frozen=True, eq=False)
class ClassFlags(FlagsType):
    """Flags whose values are sets of the members of `cls`, which are equal to their WIT names."""

    cls: type[Enum]

    @property
    def members(self) -> tuple[Enum, ...]:
        return tuple(self.cls)


def with_class(t: ValType, given: Any) -> ValType:
    """The type with the class of its values: a class, or the tuple of a variant's.

    Raises InvalidError where that can't be the class of such values.
    """
    match t:
        case RecordType(fields=fields) if len(getattr(given, "__match_args__", ())) == len(fields):
            return ClassRecord(fields, given)
        case VariantType(cases=cases) if isinstance(given, tuple) and len(given) == len(cases):
            return ClassVariant(cases, given)
        case EnumType(names=names) if _are_members(given, names):
            return ClassEnum(names, given)
        case FlagsType(names=names) if _are_members(given, names):
            return ClassFlags(names, given)
    raise InvalidError(f"{given!r} can't stand for a {type(t).__name__.removesuffix('Type').lower()} of that form")


def _are_members(given: Any, names: tuple[str, ...]) -> bool:
    return isinstance(given, type) and issubclass(given, Enum) and tuple(m.value for m in given) == names


def like(t: ValType, plain: ValType) -> ValType:
    """`plain`, which is `t` over other parts, with the classes of `t`."""
    if isinstance(t, ClassRecord) and isinstance(plain, RecordType):
        return ClassRecord(plain.fields, t.cls)
    if isinstance(t, ClassVariant) and isinstance(plain, VariantType):
        return ClassVariant(plain.cases, t.classes)
    return plain


def is_class(t: ValType) -> bool:
    """Whether values of a type are objects of classes given here."""
    return isinstance(t, ClassRecord | ClassVariant | ClassEnum | ClassFlags)
