"""The syntax tree of a WIT file: names are still text, nothing is resolved.

In: what the parser read. Out: plain data, with the span of whatever an error may have to point at.
Spec: `WIT.md`, the productions of the same names.
"""

from __future__ import annotations

from dataclasses import field
from typing import TypeAlias

from wippywasm.dataclass import dataclass
from wippywasm.wit.names import PackageName, Version
from wippywasm.wit.source import Source, Span

Comments: TypeAlias = tuple[str, ...]
"""The comments in front of an item, as written."""


@dataclass(slots=True)
class Id:
    name: str
    span: Span


@dataclass(slots=True)
class Attribute:
    """A gate or annotation: `since`, `unstable`, `deprecated` or `external-id`, with its one value."""

    name: str
    span: Span
    value: Version | str


@dataclass(slots=True)
class Header:
    """What stands in front of an item: comments and attributes."""

    comments: Comments = ()
    attributes: list[Attribute] = field(default_factory=list)


@dataclass(slots=True)
class PackageId:
    comments: Comments
    span: Span
    name: PackageName
    docs_span: Span | None = None
    """Where the first of `comments` is."""


@dataclass(slots=True)
class UsePath:
    """`id`, or `ns:pkg/id@version` where `package` is given."""

    id: Id
    package: PackageId | None = None


# ---- types --------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class TypeExpr:
    """A type as it stands in a signature.

    `kind` is the keyword (`list`, `u32`, `own`, …), `fixed-list`, or `name`. `args` are its type arguments, None for
    `_`; `id` is the name of a `name`, `own` or `borrow`; `size` is that of a `fixed-list`.
    """

    kind: str
    span: Span
    args: tuple[TypeExpr | None, ...] = ()
    id: Id | None = None
    size: int = 0


@dataclass(slots=True)
class Member:
    """A field, case or flag; `type` is None where there is none."""

    comments: Comments
    id: Id
    type: TypeExpr | None = None


@dataclass(slots=True)
class Body:
    """The definition of a `record`, `variant`, `enum` or `flags`."""

    kind: str
    members: list[Member]


@dataclass(slots=True)
class ResourceBody:
    functions: list[FuncItem]


@dataclass(slots=True)
class FuncType:
    span: Span
    is_async: bool
    params: list[tuple[Id, TypeExpr]]
    result: TypeExpr | None


@dataclass(slots=True)
class FuncItem:
    """`role` is `func`, or in a resource `method`, `static` or `constructor`."""

    header: Header
    id: Id
    type: FuncType
    role: str = "func"


@dataclass(slots=True)
class TypeItem:
    header: Header
    id: Id
    definition: TypeExpr | Body | ResourceBody


# ---- items --------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Use:
    header: Header
    path: UsePath
    names: list[tuple[Id, Id]]
    """What is used, and the name it gets here."""


@dataclass(slots=True)
class Include:
    header: Header
    path: UsePath
    renames: list[tuple[Id, Id]]


InterfaceItem: TypeAlias = "TypeItem | FuncItem | Use"


@dataclass(slots=True)
class Extern:
    """An import or export of a world, by `direction`.

    `id` is its plain name, None for a bare path; the rest says what it is: exactly one is given.
    """

    direction: str
    header: Header
    id: Id | None = None
    function: FuncType | None = None
    interface: list[InterfaceItem] | None = None
    path: UsePath | None = None

    @property
    def span(self) -> Span:
        if self.id is not None:
            return self.id.span
        assert self.path is not None
        return self.path.id.span


WorldItem: TypeAlias = "Extern | Use | TypeItem | Include"


@dataclass(slots=True)
class Interface:
    header: Header
    id: Id
    items: list[InterfaceItem]


@dataclass(slots=True)
class World:
    header: Header
    id: Id
    items: list[WorldItem]


@dataclass(slots=True)
class TopUse:
    header: Header
    span: Span
    path: UsePath
    id: Id
    """The name it gets in this file."""


@dataclass(slots=True)
class NestedPackage:
    id: PackageId
    items: list[Item]


Item: TypeAlias = "Interface | World | TopUse | NestedPackage"


@dataclass(slots=True)
class File:
    """One file, or the inside of one nested package."""

    source: Source
    package: PackageId | None
    items: list[Item]
    lost: list[Span] = field(default_factory=list)
    """What was skipped after refusals: it may have defined any name that stands in it."""
