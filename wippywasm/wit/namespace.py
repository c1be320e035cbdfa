"""Which interfaces and worlds the files of one package define and name, and in which order they can be resolved.

In: the syntax trees of a package's files. Out: a `Namespace`: an empty `Interface` or `World` for everything that the
package defines or takes from another one, and the way from a `use` path to it.
Spec: `WIT.md`, "WIT Packages and `use`", "Name resolution".
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import field
from typing import NamedTuple, NoReturn, TypeAlias

from wippywasm.dataclass import dataclass
from wippywasm.wit import syntax
from wippywasm.wit.names import PackageName
from wippywasm.wit.resolved import Interface, Stability, TypeDef, World
from wippywasm.wit.source import Complaints, Poisoned, Refusal, Span
from wippywasm.wit.stability import stability_of
from wippywasm.wit.toposort import toposort

Named: TypeAlias = "Interface | World"


class Reference(NamedTuple):
    """A path in a file. `user` is the interface or world whose place in the order depends on it."""

    user: syntax.Id | None
    attributes: list[syntax.Attribute]
    path: syntax.UsePath
    names: list[tuple[syntax.Id, syntax.Id]] | None
    to_world: bool = False


def references(items: Sequence[syntax.Item]) -> Iterator[Reference]:
    """Every path of a file, a world's imports before its exports: the order in which a printed file has them."""
    for item in items:
        if isinstance(item, syntax.World):
            yield from _world_references(item)
        elif isinstance(item, syntax.Interface):
            yield from _uses(item.items, item.id)
        elif isinstance(item, syntax.TopUse):
            yield Reference(None, item.header.attributes, item.path, None)


def _uses(items: Sequence[syntax.InterfaceItem], user: syntax.Id | None) -> Iterator[Reference]:
    for use in items:
        if isinstance(use, syntax.Use):
            yield Reference(user, use.header.attributes, use.path, use.names)


def _world_references(world: syntax.World) -> Iterator[Reference]:
    externs = [item for item in world.items if isinstance(item, syntax.Extern)]
    for item in world.items:
        if isinstance(item, syntax.Use):
            yield Reference(None, item.header.attributes, item.path, item.names)
        elif isinstance(item, syntax.Include):
            yield Reference(world.id, item.header.attributes, item.path, None, to_world=True)
    for extern in sorted(externs, key=lambda e: e.direction == "export"):
        if extern.interface is not None:
            yield from _uses(extern.interface, None)
        elif extern.path is not None:
            yield Reference(None, extern.header.attributes, extern.path, None)


@dataclass
class Foreign:
    """Something of another package: a stand-in for it, and the gates of every place that names it."""

    item: Named
    gates: list[Stability | None] = field(default_factory=list)


class Namespace:
    """The names of one package. `refusals` collects what is wrong with them.

    `lost` are the words of texts that did not parse: what has such a name may be there, so nobody misses it.
    """

    def __init__(self, files: Sequence[syntax.File], refusals: Complaints, lost: Collection[str]) -> None:
        self.files = files
        self.refusals = refusals
        self.lost = lost
        self.collecting = refusals.collecting
        self.foreign: dict[PackageName, dict[str, Foreign]] = {}
        self.foreign_spans: dict[PackageName, Span] = {}
        self.stand_ins: set[Named] = set()
        self.types: list[TypeDef] = []
        self.interfaces: list[Interface] = []
        self.worlds: list[World] = []
        self.members: dict[Interface, dict[str, TypeDef | str]] = {}
        """What each interface defines: a type, or the word for what it is instead."""
        self._items: dict[str, tuple[Named, syntax.Interface | syntax.World, int]] = {}
        self._scopes: list[dict[str, Named]] = []
        self._file = 0
        self.order = self._resolve()

    def _resolve(self) -> list[tuple[Named, syntax.Interface | syntax.World, int]]:
        for file in self.files:
            for reference in references(file.items):
                with self.collecting():
                    self._add_foreign(reference)
        defined = self._defined()
        edges = self._edges(defined)
        order = toposort("interface or world", edges)
        for name in order:
            item, index = defined[name]
            new = self.new_interface if isinstance(item, syntax.Interface) else self.new_world
            self._items[name] = (new(item.id), item, index)
        for file in self.files:
            self._scopes.append(self._scope(file))
        for index, file in enumerate(self.files):
            self.enter(index)
            for reference in references(file.items):
                with self.collecting():
                    self._add_foreign_types(reference)
        return list(self._items.values())

    def enter(self, file: int) -> None:
        """Paths are those of file number `file` from here on."""
        self._file = file

    def new_interface(self, id: syntax.Id | None, span: Span | None = None) -> Interface:
        interface = Interface(id.name if id else None, id.span if id else span)
        self.interfaces.append(interface)
        self.members[interface] = {}
        return interface

    def new_world(self, id: syntax.Id) -> World:
        self.worlds.append(World(id.name, id.span))
        return self.worlds[-1]

    def _add_foreign(self, reference: Reference) -> None:
        package = reference.path.package
        if package is None:
            return
        items = self.foreign.setdefault(package.name, {})
        self.foreign_spans.setdefault(package.name, package.span)
        id = reference.path.id
        if id.name not in items:
            items[id.name] = Foreign(self.new_world(id) if reference.to_world else self.new_interface(id))
            self.stand_ins.add(items[id.name].item)
        items[id.name].gates.append(stability_of(reference.attributes))

    def _defined(self) -> dict[str, tuple[syntax.Interface | syntax.World, int]]:
        """The package's own interfaces and worlds, with the number of their file."""
        defined: dict[str, tuple[syntax.Interface | syntax.World, int]] = {}
        for index, file in enumerate(self.files):
            for item in file.items:
                if not isinstance(item, syntax.Interface | syntax.World):
                    continue
                if item.id.name in defined:
                    self.refusals.add(Refusal(item.id.span, f"`{item.id.name}` is defined twice in this package"))
                else:
                    defined[item.id.name] = (item, index)
        return defined

    def _edges(self, defined: dict[str, tuple[syntax.Interface | syntax.World, int]]) -> dict[str, list[syntax.Id]]:
        edges: dict[str, list[syntax.Id]] = {name: [] for name in defined}
        for file in self.files:
            with self.collecting():
                local = self._local_names(file)
                for reference in references(file.items):
                    if reference.user is None or reference.path.package is not None:
                        continue
                    target = local.get(reference.path.id.name, reference.path.id)
                    if target is not None and target.name not in defined:
                        with self.collecting():
                            self._miss(target)
                    elif target is not None:
                        edges[reference.user.name].append(target)
        return edges

    def _local_names(self, file: syntax.File) -> dict[str, syntax.Id | None]:
        """What a name of this file stands for in the package: None for something of another package."""
        names: dict[str, syntax.Id | None] = {}
        used = {item.id.name for item in file.items if isinstance(item, syntax.TopUse)}
        for item in file.items:
            if isinstance(item, syntax.NestedPackage):
                continue
            if item.id.name in names and item.id.name in used:  # two definitions are refused elsewhere
                raise Refusal(item.id.span, f"`{item.id.name}` is named twice in this file")
            if isinstance(item, syntax.TopUse):
                names[item.id.name] = None if item.path.package else item.path.id
            else:
                names[item.id.name] = item.id
        return names

    def _scope(self, file: syntax.File) -> dict[str, Named]:
        scope: dict[str, Named] = {}
        for item in file.items:
            with self.collecting():
                if isinstance(item, syntax.TopUse):
                    scope[item.id.name] = self._top_use(item)
                elif not isinstance(item, syntax.NestedPackage):
                    scope[item.id.name] = self._items[item.id.name][0]
        return scope

    def _top_use(self, item: syntax.TopUse) -> Named:
        if item.header.attributes:
            raise Refusal(item.span, "a `use` outside of interfaces and worlds can't have attributes")
        if item.path.package is not None:
            return self.foreign[item.path.package.name][item.path.id.name].item
        if item.path.id.name not in self._items:
            self._miss(item.path.id)
        return self._items[item.path.id.name][0]

    def _add_foreign_types(self, reference: Reference) -> None:
        """Stand-ins for the types that a `use` takes from another package."""
        if reference.names is None:
            return
        interface = self.interface_at(reference.path)
        if interface not in self.stand_ins:
            return
        members = self.members[interface]
        for id, _ in reference.names:
            if id.name not in members:
                stand_in = TypeDef(id.name, ("unknown",), interface, id.span)
                stand_in.stability = stability_of(reference.attributes)
                members[id.name] = interface.types[id.name] = stand_in
                self.types.append(stand_in)

    def _item_at(self, path: syntax.UsePath) -> Named:
        if path.package is not None:
            return self.foreign[path.package.name][path.id.name].item
        found = self._scopes[self._file].get(path.id.name)
        if found is None:
            if path.id.name not in self._items:
                self._miss(path.id)
            found = self._items[path.id.name][0]
        return found

    def interface_at(self, path: syntax.UsePath) -> Interface:
        found = self._item_at(path)
        if isinstance(found, World):
            raise Refusal(path.id.span, f"`{path.id.name}` is a world, not an interface")
        return found

    def world_at(self, path: syntax.UsePath) -> World:
        found = self._item_at(path)
        if isinstance(found, Interface):
            raise Refusal(path.id.span, f"`{path.id.name}` is an interface, not a world")
        return found

    def _miss(self, id: syntax.Id) -> NoReturn:
        if id.name in self.lost:
            raise Poisoned
        hint = "something of another package needs its full name, `namespace:package/name`"
        raise Refusal(id.span, f"there is no interface or world `{id.name}`", hint)
