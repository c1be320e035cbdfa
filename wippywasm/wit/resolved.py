"""Resolved WIT: packages in which every name has become what it stands for.

In: what the resolver or the decoder found. Out: `Resolution`, with the lists `packages`, `worlds`, `interfaces` and
`types` in the order in which other WIT tools number them, so that indices agree.
Types are those of `wippywasm.model`: a `TypeDef` here is one of the model's with a place, an owner and documentation.
Spec: `WIT.md`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import field
from typing import TypeAlias

from wippywasm import model
from wippywasm.dataclass import dataclass
from wippywasm.errors import NotFoundError
from wippywasm.model import ResourceType, ValType
from wippywasm.wit.names import PackageName, Version
from wippywasm.wit.source import Refusal, Span


@dataclass(frozen=True)
class Stability:
    """`since` for `@since`, `feature` for `@unstable`: one of them; `deprecated` goes with either."""

    since: Version | None = None
    feature: str | None = None
    deprecated: Version | None = None


Draft: TypeAlias = "tuple[object, ...]"
"""What a type is, before its package is linked: a keyword and its parts, among them other `TypeDef`s."""


class TypeDef(model.TypeDef):
    """A type of a WIT package; one without a `name` is written in place, such as `list<u8>`.

    `member_docs` are those of its fields, cases or flags, in order. `owner` is where a named type is defined. Out of a
    `use … as`, `span` is that of the old name and `name_span` that of the new one.
    """

    __slots__ = (
        "docs",
        "draft",
        "external_id",
        "member_docs",
        "member_spans",
        "name_span",
        "owner",
        "span",
        "stability",
    )

    name: str | None  # type: ignore[assignment]

    def __init__(self, name: str | None, draft: Draft, owner: Owner = None, span: Span | None = None) -> None:
        super().__init__(name or "")
        self.name, self.draft, self.owner, self.span, self.name_span = name, draft, owner, span, span
        self.docs = self.stability = self.external_id = None
        self.member_docs = self.member_spans = ()

    draft: Draft
    owner: Owner
    span: Span | None
    name_span: Span | None
    docs: str | None
    stability: Stability | None
    external_id: str | None
    member_docs: tuple[str | None, ...]
    member_spans: tuple[Span | None, ...]

    __setattr__ = object.__setattr__

    @property
    def is_resource(self) -> bool:
        """Whether the name stands for a resource, perhaps through aliases."""
        return isinstance(self.root.kind, ResourceType)


Type: TypeAlias = "model.Prim | TypeDef"


@dataclass(slots=True)
class Param:
    name: str
    type: ValType
    span: Span | None = None


@dataclass(slots=True)
class Function:
    """`kind` is `freestanding`, `method`, `static` or `constructor`; `resource` is whose, `name` is the full name."""

    name: str
    kind: str = "freestanding"
    resource: TypeDef | None = None
    is_async: bool = False
    params: list[Param] = field(default_factory=list)
    result: ValType | None = None
    docs: str | None = None
    stability: Stability | None = None
    external_id: str | None = None
    span: Span | None = None

    @property
    def type(self) -> model.FuncType:
        """Its type, in terms of the package's `TypeDef`s; `model.structural_func` takes the names away."""
        return model.FuncType(tuple(model.Param(p.name, p.type) for p in self.params), self.result, self.is_async)


@dataclass(eq=False)
class Interface:
    """`name` is None for one that is written inside a world."""

    name: str | None
    span: Span | None = None
    package: Package | None = None
    types: dict[str, TypeDef] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    docs: str | None = None
    stability: Stability | None = None
    clone_of: Interface | None = None

    @property
    def id(self) -> str | None:
        """`ns:pkg/name@1.0.0`, or None for one without a name."""
        return self.package.name.item(self.name) if self.package is not None and self.name is not None else None


@dataclass
class InterfaceItem:
    """An interface that a world imports or exports."""

    interface: Interface
    docs: str | None = None
    stability: Stability | None = None
    external_id: str | None = None
    span: Span | None = None


WorldKey: TypeAlias = "str | Interface"
"""A plain name, or the interface whose full name is the key."""
WorldItem: TypeAlias = "InterfaceItem | Function | TypeDef"


@dataclass
class Include:
    world: World
    renames: list[tuple[str, str]]
    stability: Stability | None
    span: Span | None


@dataclass
class Written:
    """A world as its text has it: without what it includes, and without implicit imports."""

    imports: dict[WorldKey, WorldItem]
    exports: dict[WorldKey, WorldItem]
    includes: list[Include]


@dataclass(eq=False)
class World:
    """`written` is there for one out of text that includes others; `file_size` for one out of a binary: its bytes,
    which bound what is made of the world.
    """

    name: str
    span: Span | None = None
    package: Package | None = None
    imports: dict[WorldKey, WorldItem] = field(default_factory=dict)
    exports: dict[WorldKey, WorldItem] = field(default_factory=dict)
    includes: list[Include] = field(default_factory=list)
    docs: str | None = None
    stability: Stability | None = None
    written: Written | None = None
    file_size: int | None = None

    @property
    def id(self) -> str:
        return self.package.name.item(self.name) if self.package is not None else self.name


Owner: TypeAlias = "Interface | World | None"


@dataclass(eq=False)
class Package:
    name: PackageName
    docs: str | None = None
    interfaces: dict[str, Interface] = field(default_factory=dict)
    worlds: dict[str, World] = field(default_factory=dict)


COPIES = 100_000
"""Items that worlds may copy from others and import implicitly, whatever the length of the text."""


@dataclass
class Resolution:
    """Packages and all they hold. `main` is the package that was asked for; the others are what it needs.

    `copies` is how many more items worlds may get without a text that spells them: a few lines could ask for the
    square of their number.
    """

    features: Collection[str] = ()
    all_features: bool = False
    packages: list[Package] = field(default_factory=list)
    worlds: list[World] = field(default_factory=list)
    interfaces: list[Interface] = field(default_factory=list)
    types: list[TypeDef] = field(default_factory=list)
    main: Package | None = None
    copies: int = field(default=COPIES, repr=False, compare=False)
    _by_name: dict[PackageName, Package] = field(default_factory=dict, repr=False, compare=False)
    _indexed: int = field(default=0, repr=False, compare=False)

    def package(self, name: PackageName) -> Package | None:
        for package in self.packages[self._indexed :]:
            self._by_name.setdefault(package.name, package)
        self._indexed = len(self.packages)
        return self._by_name.get(name)

    def spend(self, count: int, span: Span | None) -> None:
        """Takes `count` of the `copies`. Refuses, at `span`, what goes beyond them."""
        self.copies -= count
        if self.copies < 0:
            hint = "split the worlds: few of them need all that others have"
            raise Refusal(span, "the worlds here include, or import implicitly, too much in total", hint)

    def is_enabled(self, feature: str) -> bool:
        return feature in self.features or self.all_features

    def world(self, name: str | None = None) -> World:
        """The world called `name` (`name` in the main package, or `ns:pkg/name`), or else the only one.

        Raises NotFoundError. Spec: `WIT.md`, "Specifying a World".
        """
        own = self.main.worlds if self.main else {}
        if name is None and len(own) == 1:
            return next(iter(own.values()))
        known = ", ".join(w.id for w in self.worlds) or "none"
        if name is None:
            raise NotFoundError("no single world to choose", hint=f"name one of: {known}")
        found = [own[name]] if name in own else [w for w in self.worlds if name in (w.id, w.id.partition("@")[0])]
        if len(found) != 1:
            raise NotFoundError(f"{'several worlds are' if found else 'no world is'} called `{name}`", hint=known)
        return found[0]


def key_name(key: WorldKey) -> str:
    """How a world's import or export is called: its plain name or its interface's full name."""
    if isinstance(key, str):
        return key
    return key.id or ""


def direct_dependencies(interface: Interface) -> Iterator[Interface]:
    """The interfaces whose types this one uses; one may come several times."""
    for definition in interface.types.values():
        if (found := used_interface(definition)) is not None:
            yield found


def used_interface(definition: TypeDef) -> Interface | None:
    """The other interface that a type comes from by `use`, or None."""
    target = definition.kind
    if not isinstance(target, TypeDef) or target.owner is definition.owner:
        return None
    return target.owner if isinstance(target.owner, Interface) else None
