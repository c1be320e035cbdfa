"""A resolution to WIT text.

In: packages. Out: text that parses to the same packages: worlds with their implicit imports written out and includes
expanded, methods inside of their resources, everything else in the order that it has. Only where an include brings a
`@since` that this package can't have, from one with another version, is the include itself written.
Spec: `WIT.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, groupby

from wippywasm import model
from wippywasm.errors import InvalidError, with_article
from wippywasm.model import ResourceType, ValType
from wippywasm.wit.comments import Comments
from wippywasm.wit.compare import parts
from wippywasm.wit.print_types import TypeTexts, escaped, use_path
from wippywasm.wit.resolved import (
    Function,
    Include,
    Interface,
    InterfaceItem,
    Owner,
    Package,
    Resolution,
    Stability,
    TypeDef,
    World,
    WorldItem,
    WorldKey,
    Written,
)
from wippywasm.wit.stability import is_sayable

_NOMINAL = (model.RecordType, model.VariantType, model.EnumType, model.FlagsType)


def print_resolution(resolution: Resolution) -> str:
    """All packages as one document: the main one, then the others as nested packages.

    Raises InvalidError for what no text says, which only a binary brings: a `@since` beyond the package's version, a
    type that is used from an interface without a name, a record that nothing names; and TooLongError, which is one,
    where types share so many of their parts that the text would be out of proportion.
    """
    return "\n".join(text for _, text in print_packages(resolution))


def print_packages(resolution: Resolution) -> Iterator[tuple[Package, str]]:
    """The packages and their texts in that document, one at a time. Raises InvalidError as above."""
    main = resolution.main or resolution.packages[-1]
    types = TypeTexts()
    yield main, print_package(main, types=types)
    for package in resolution.packages:
        if package is not main:
            yield package, print_package(package, nested=True, types=types)


def print_package(package: Package, *, nested: bool = False, types: TypeTexts | None = None) -> str:
    """One package: a file of its own, or `package … { … }`; `types` are those of all packages of one document.

    Raises InvalidError as above.
    """
    printer = Printer(package, types)
    printer.package_items(nested)
    return printer.text()


def print_world(world: World) -> str:
    """One world, without its package around it. Raises InvalidError as above."""
    assert world.package is not None
    printer = Printer(world.package)
    printer.world(world)
    return printer.text()


class Printer:
    """Lines with indentation."""

    def __init__(self, package: Package, types: TypeTexts | None = None) -> None:
        self.package = package
        self._types = types or TypeTexts()
        self._comments = Comments()
        self._sayable: set[object] = set()
        """Types that were found to have their names."""
        self._lines: list[str] = []
        self._indent = ""

    def text(self) -> str:
        return "\n".join(self._lines) + "\n"

    def line(self, text: str = "") -> None:
        self._lines.append(self._types.line(self._indent + text) if text else "")

    def gap(self) -> None:
        """An empty line between items."""
        if self._lines and self._lines[-1] and not self._lines[-1].endswith("{"):
            self.line()

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        self.line(f"{head} {{")
        self._indent += "  "
        yield
        self._indent = self._indent[:-2]
        self.line("}")

    def package_items(self, nested: bool) -> None:
        name = self.package.name
        head = f"package {escaped(name.namespace)}:{escaped(name.name)}" + (f"@{name.version}" if name.version else "")
        self.docs(self.package.docs)
        if nested:
            with self.block(head):
                self._items()
            return
        self.line(f"{head};")
        self._items()

    def _items(self) -> None:
        for interface in self.interfaces():
            self.gap()
            self._header(interface.docs, interface.stability)
            with self.block(f"interface {escaped(interface.name or '')}"):
                self.interface(interface)
        for world in self.worlds():
            self.gap()
            self.world(world)

    def interfaces(self) -> Iterator[Interface]:
        """Those to write."""
        return iter(self.package.interfaces.values())

    def worlds(self) -> Iterator[World]:
        """Those to write."""
        return iter(self.package.worlds.values())

    # ---- headers ----

    def docs(self, docs: str | None) -> None:
        if docs is not None:
            self._lines.append(self._comments.of(docs, self._indent))

    def _header(self, docs: str | None, stability: Stability | None, external_id: str | None = None) -> None:
        self.docs(docs)
        if stability is not None:
            self.gate(stability)
        if external_id is not None:
            self.line(f"@external-id({quoted(external_id)})")

    def gate(self, gate: Stability) -> None:
        if not is_sayable(gate, self.package):
            message = f"@since {gate.since} can't be written in package `{self.package.name}`, which is not that far"
            raise InvalidError(message, hint="its version is that of another package, which this one included")
        if gate.since is not None:
            self.line(f"@since(version = {gate.since})")
        else:
            self.line(f"@unstable(feature = {escaped(gate.feature or '')})")
        if gate.deprecated is not None:
            self.line(f"@deprecated(version = {gate.deprecated})")

    # ---- interfaces ----

    def interface(self, interface: Interface) -> None:
        """The inside of an interface."""
        own = self._uses(interface, interface.types.values())
        self._definitions(own, list(interface.functions.values()))

    def _uses(self, owner: Owner, types: Iterable[TypeDef]) -> list[TypeDef]:
        """Prints what comes from other interfaces; returns the types that are defined here."""
        used: list[TypeDef] = []
        own: list[TypeDef] = []
        for t in types:
            target = t.kind
            is_used = isinstance(target, TypeDef) and target.owner is not None and target.owner is not owner
            (used if is_used else own).append(t)
        for _, group in groupby(used, key=_source):
            self._use(list(group))
        return own

    def _use(self, types: Sequence[TypeDef]) -> None:
        self._header(None, types[0].stability, types[0].external_id)
        source, names = None, []
        for t in types:
            assert isinstance(t.kind, TypeDef)
            source = t.kind.owner
            old, new = escaped(t.kind.name or ""), escaped(t.name or "")
            names.append(old if old == new else f"{old} as {new}")
        assert isinstance(source, Interface)
        if source.name is None:
            raise unsayable(f"the type `{types[0].name}` comes from an interface without a name")
        self.line(f"use {use_path(source, self.package)}.{{{', '.join(names)}}};")

    def _definitions(self, types: list[TypeDef], functions: list[Function]) -> None:
        """Types and functions, each in its order; a resource comes where its methods do."""
        methods: dict[TypeDef, list[Function]] = {}
        for function in functions:
            if function.resource is not None:
                methods.setdefault(function.resource, []).append(function)
        pending = list(reversed(types))
        done: set[TypeDef] = set()
        for function in functions:
            resource = function.resource
            while resource is not None and resource not in done and pending:
                done.add(pending[-1])
                self._definition(pending[-1], methods.get(pending.pop(), []))
            if resource is None:
                self.gap()
                self._function(function, f"{escaped(function.name)}: ")
        for definition in reversed(pending):
            self._definition(definition, methods.get(definition, []))

    def _definition(self, t: TypeDef, methods: Sequence[Function]) -> None:
        self.gap()
        self._header(t.docs, t.stability, t.external_id)
        if isinstance(t.kind, ResourceType):
            self._resource(t, methods)
            return
        inside = [part for _, part in parts(t.kind)] if isinstance(t.kind, _NOMINAL) else [t.kind]
        self._check_named(f"the type `{t.name}`", inside)
        head, members = self._types.declaration(t)
        if members is None:
            self.line(head)
            return
        with self.block(head):
            for member, docs in zip(members, t.member_docs or (None,) * len(members)):
                self.docs(docs)
                self.line(f"{member},")

    def _resource(self, t: TypeDef, methods: Sequence[Function]) -> None:
        head = f"resource {escaped(t.name or '')}"
        if not methods:
            self.line(f"{head};")
            return
        with self.block(head):
            for function in methods:
                self._function(function, _method_head(function))

    def _function(self, function: Function, head: str) -> None:
        self._header(function.docs, function.stability, function.external_id)
        self._check_named(f"the function `{function.name}`", [*(p.type for p in function.params), function.result])
        self.line(f"{head}{self._types.function(function)};")

    def _check_named(self, user: str, types: Iterable[object]) -> None:
        """Refuses a record, variant, enum, flags or resource without a name: a component may export those from its
        root.
        """
        todo = list(types)
        while todo:
            part = todo.pop()
            if part in self._sayable:
                continue
            if isinstance(part, TypeDef):
                todo += [part.kind] if part.name is None else []
            elif isinstance(part, (*_NOMINAL, ResourceType)):
                kind = type(part).__name__.removesuffix("Type").lower()
                raise unsayable(f"{user} is of {with_article(kind)} type that no interface names")
            elif isinstance(part, model.OwnType | model.BorrowType):
                todo.append(part.resource)
            elif isinstance(part, ValType):
                todo += [inner for _, inner in parts(part)]
            self._sayable.add(part)

    # ---- worlds ----

    def world(self, world: World) -> None:
        self._header(world.docs, world.stability)
        found = self.as_written(world)
        with self.block(f"world {escaped(world.name)}"):
            self._imports(world, found.imports)
            if found.exports:
                self.gap()
            for key, item in found.exports.items():
                self._extern("export", key, item)
            for include in found.includes:
                self._include(include)

    def as_written(self, world: World) -> World | Written:
        """The world with its includes expanded, or as its text had it where those bring gates that can't be here."""
        if world.written is not None and not all(is_sayable(gate, self.package) for gate in _gates(world)):
            return world.written
        return world

    def _include(self, include: Include) -> None:
        self._header(None, include.stability)
        path = use_path(include.world, self.package)
        names = ", ".join(f"{escaped(old)} as {escaped(new)}" for old, new in include.renames)
        self.line(f"include {path} with {{ {names} }}" if names else f"include {path};")

    def _imports(self, world: World, items: dict[WorldKey, WorldItem]) -> None:
        for key, item in items.items():
            if isinstance(item, InterfaceItem):
                self._extern("import", key, item)
        own = self._uses(world, [t for t in items.values() if isinstance(t, TypeDef)])
        functions = [f for f in items.values() if isinstance(f, Function)]
        self._definitions(own, [f for f in functions if f.resource is not None])
        for function in functions:
            if function.resource is None:
                self._extern("import", function.name, function)

    def _extern(self, direction: str, key: WorldKey, item: WorldItem) -> None:
        if isinstance(item, Function):
            self._function(item, f"{direction} {escaped(item.name)}: ")
        elif isinstance(item, InterfaceItem) and item.interface.name is None:
            assert isinstance(key, str)
            self._header(item.interface.docs, item.stability, item.external_id)
            with self.block(f"{direction} {escaped(key)}: interface"):
                self.interface(item.interface)
        elif isinstance(item, InterfaceItem):
            self._header(item.docs, item.stability, item.external_id)
            name = f"{escaped(key)}: " if isinstance(key, str) else ""
            self.line(f"{direction} {name}{use_path(item.interface, self.package)};")


def unsayable(why: str) -> InvalidError:
    """What only components have, such as a type that is used from an interface without a name."""
    return InvalidError(f"WIT has no words for this world: {why}", hint="give WIT of your own for it, with --wit")


def _gates(world: World) -> Iterator[Stability | None]:
    """Those of what is in a world, and of what is in the interfaces that are written there."""
    for item in chain(world.imports.values(), world.exports.values()):
        yield item.stability
        if isinstance(item, InterfaceItem) and item.interface.name is None:
            yield from (t.stability for t in item.interface.types.values())
            yield from (f.stability for f in item.interface.functions.values())


def _source(t: TypeDef) -> tuple[int, Stability | None, str | None]:
    assert isinstance(t.kind, TypeDef)
    return id(t.kind.owner), t.stability, t.external_id


def _method_head(function: Function) -> str:
    if function.kind == "constructor":
        return ""
    name = escaped(function.name.partition(".")[2])
    return f"{name}: static " if function.kind == "static" else f"{name}: "


def quoted(text: str) -> str:
    """A string literal with the value `text`."""
    parts = []
    for ch in text:
        if ch in '"\\':
            parts.append("\\" + ch)
        elif ch < " " or "\x7f" <= ch <= "\x9f" or ch in _UNPRINTABLE:
            parts.append(f"\\u{{{ord(ch):x}}}")
        else:
            parts.append(ch)
    return '"' + "".join(parts) + '"'


_UNPRINTABLE = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u0149\u0673\u0f77\u0f79")
_UNPRINTABLE |= frozenset("\u17a3\u17a4\u17b4\u17b5")
