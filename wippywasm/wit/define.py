"""What the interfaces and worlds of one package define, before other packages are known.

In: a `Namespace` and its syntax. Out: its types, interfaces and worlds, in which names have become `TypeDef`s whose
`draft` says what they are; types of other packages are stand-ins until `link` puts the real ones in.
Spec: `WIT.md`, "Item: world", "Item: interface", "Item: use", "Item: include".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import chain

from wippywasm.dataclass import dataclass
from wippywasm.model import PRIMS
from wippywasm.wit import syntax
from wippywasm.wit.docs import documentation
from wippywasm.wit.drafts import Drafter, taken_functions
from wippywasm.wit.names import PackageName
from wippywasm.wit.namespace import Foreign, Namespace
from wippywasm.wit.resolved import Function, Include, Interface, InterfaceItem, TypeDef, World, WorldItem, WorldKey
from wippywasm.wit.source import Complaints, Enough, Poisoned, Refusal, Span
from wippywasm.wit.stability import external_id_of, stability_of
from wippywasm.wit.toposort import toposort


@dataclass
class Unlinked:
    """A package whose references into other packages are still stand-ins, which come first in each list.

    Where it is not whole, it is enough to look at what it needs of other packages.
    """

    name: PackageName
    span: Span
    docs: str | None
    types: list[TypeDef]
    interfaces: list[Interface]
    worlds: list[World]
    foreign: dict[PackageName, dict[str, Foreign]]
    foreign_spans: dict[PackageName, Span]
    required_resources: list[tuple[TypeDef, Span]]
    refusals: Complaints
    is_whole: bool


def define_package(
    id: syntax.PackageId, docs: str | None, files: Sequence[syntax.File], lost: Collection[str] = ()
) -> Unlinked:
    """Resolves everything within one package. `lost` are words that may be names of what did not parse."""
    refusals = Complaints()
    found = Unlinked(id.name, id.span, docs, [], [], [], {}, {}, [], refusals, False)
    try:
        with refusals.collecting():
            namespace = Namespace(files, refusals, lost)
            definer = Definer(namespace)
            definer.run()
            found.types, found.interfaces, found.worlds = namespace.types, namespace.interfaces, namespace.worlds
            found.foreign, found.foreign_spans = namespace.foreign, namespace.foreign_spans
            found.required_resources = definer.drafter.required_resources
            found.is_whole = not refusals and not any(file.lost for file in files)
    except Enough:
        pass
    return found


class Definer:
    """Walks the interfaces, then the worlds, each after what it uses."""

    def __init__(self, namespace: Namespace) -> None:
        self.namespace = namespace
        self.drafter = Drafter(namespace.types, namespace.lost)
        self.collecting = namespace.collecting

    def run(self) -> None:
        for target, item, file in self.namespace.order:
            if isinstance(target, Interface) and isinstance(item, syntax.Interface):
                self.namespace.enter(file)
                self._interface(target, item.items, item.header)
        for target, item, file in self.namespace.order:
            if isinstance(target, World) and isinstance(item, syntax.World):
                self.namespace.enter(file)
                self._world(target, item)

    # ---- interfaces ----

    def _interface(self, interface: Interface, items: Sequence[syntax.InterfaceItem], header: syntax.Header) -> None:
        interface.docs = documentation(header.comments)
        with self.collecting():
            interface.stability = stability_of(header.attributes)
        names = self.drafter.open_scope()
        self._types(interface, [i for i in items if not isinstance(i, syntax.FuncItem)])
        interface.types = {name: t for name, t in names.items() if isinstance(t, TypeDef)}
        functions: dict[str, Function] = {}
        for item in items:
            with self.collecting():
                if isinstance(item, syntax.FuncItem):
                    self.drafter.bind(item.id, "a function")
                    functions[item.id.name] = self.drafter.function(item)
            if isinstance(item, syntax.TypeItem) and isinstance(item.definition, syntax.ResourceBody):
                self._methods(item.id, item.definition, functions)
        interface.functions = functions
        self.namespace.members[interface] = names

    def _methods(
        self, resource: syntax.Id, body: syntax.ResourceBody, functions: dict[str, Function] | dict[WorldKey, WorldItem]
    ) -> None:
        for item in body.functions:
            with self.collecting():
                function = self.drafter.function(item, resource)
                functions[function.name] = function

    def _types(self, owner: Interface | World, items: Iterable[syntax.InterfaceItem | syntax.WorldItem]) -> None:
        definitions: dict[str, syntax.TypeItem | None] = {}
        edges: dict[str, list[syntax.Id]] = {}
        items = list(items)
        for item in items:
            if isinstance(item, syntax.Use):
                self._use(owner, item)
                for _, alias in item.names:
                    definitions[alias.name], edges[alias.name] = None, []
        for item in items:
            if not isinstance(item, syntax.TypeItem):
                continue
            if item.id.name in definitions:
                self.namespace.refusals.add(Refusal(item.id.span, f"`{item.id.name}` is defined more than once"))
                continue
            definitions[item.id.name] = item
            edges[item.id.name] = list(self.drafter.references(item.definition))
        self._define_in_order(owner, definitions, _source_order(items, edges))

    def _define_in_order(
        self,
        owner: Interface | World,
        definitions: dict[str, syntax.TypeItem | None],
        edges: dict[str, list[syntax.Id]],
    ) -> None:
        for name, ids in edges.items():
            for id in [i for i in ids if i.name not in edges]:
                self.drafter.poison(name)
                with self.collecting():
                    self.drafter.miss("type", id, chain(edges, PRIMS))
            edges[name] = [i for i in ids if i.name in edges]
        try:
            order = toposort("type", edges)
        except Refusal as refusal:
            self.namespace.refusals.add(refusal)
            for name in definitions:
                self.drafter.poison(name)
            return
        for name in order:
            definition = definitions[name]
            if definition is not None and not self.drafter.is_poisoned(name):
                self._define(owner, definition)

    def _define(self, owner: Interface | World, item: syntax.TypeItem) -> None:
        self.drafter.poison(item.id.name)
        with self.collecting():
            definition = self.drafter.type_definition(item, owner)
            self.drafter.unpoison(item.id.name)
            self.drafter.bind(item.id, definition)
        if isinstance(item.definition, syntax.ResourceBody):
            self.namespace.refusals.add(*taken_functions(item.definition))

    def _use(self, owner: Interface | World, use: syntax.Use) -> None:
        for _, alias in use.names:
            self.drafter.poison(alias.name)
        with self.collecting():
            interface = self.namespace.interface_at(use.path)
            gate, external_id = stability_of(use.header.attributes), external_id_of(use.header.attributes)
            members = self.namespace.members[interface]
            for id, alias in use.names:
                with self.collecting():
                    target = self._member(members, id)
                    definition = TypeDef(alias.name, ("alias", target), owner, id.span)
                    definition.stability, definition.external_id = gate, external_id
                    definition.name_span = alias.span
                    self.namespace.types.append(definition)
                    self.drafter.unpoison(alias.name)
                    self.drafter.bind(alias, definition)

    def _member(self, members: dict[str, TypeDef | str], id: syntax.Id) -> TypeDef:
        target = members.get(id.name)
        if isinstance(target, TypeDef):
            return target
        if target is None:
            self.drafter.miss("type", id, members)
        if target == "":
            raise Poisoned
        raise Refusal(id.span, f"`{id.name}` is {target}; only types can be used")

    # ---- worlds ----

    def _world(self, world: World, item: syntax.World) -> None:
        world.docs = documentation(item.header.comments)
        with self.collecting():
            world.stability = stability_of(item.header.attributes)
        names = self.drafter.open_scope()
        self._types(world, [i for i in item.items if isinstance(i, syntax.Use | syntax.TypeItem)])
        for include in item.items:
            if isinstance(include, syntax.Include):
                with self.collecting():
                    world.includes.append(self._include(include))
        for name, definition in names.items():
            if isinstance(definition, TypeDef):
                world.imports[name] = definition
        for entry in item.items:
            if isinstance(entry, syntax.TypeItem) and isinstance(entry.definition, syntax.ResourceBody):
                self._methods(entry.id, entry.definition, world.imports)
            elif isinstance(entry, syntax.Extern):
                with self.collecting():
                    self._extern(world, entry)

    def _include(self, include: syntax.Include) -> Include:
        gate = stability_of(include.header.attributes)
        target = self.namespace.world_at(include.path)
        renames = [(old.name, new.name) for old, new in include.renames]
        return Include(target, renames, gate, include.path.id.span)

    def _extern(self, world: World, extern: syntax.Extern) -> None:
        items = world.imports if extern.direction == "import" else world.exports
        item = self._extern_item(extern)
        key: WorldKey
        if extern.id is not None:
            key = extern.id.name
        else:
            assert isinstance(item, InterfaceItem)
            key = item.interface
        previous = items.get(key)
        if previous is not None:
            what = {InterfaceItem: "an interface", Function: "a function"}.get(type(previous), "a type")
            name = key if isinstance(key, str) else key.name
            raise Refusal(extern.span, f"{extern.direction} `{name}` is there already, as {what}")
        items[key] = item

    def _extern_item(self, extern: syntax.Extern) -> InterfaceItem | Function:
        attributes = extern.header.attributes
        if extern.function is not None:
            assert extern.id is not None
            return self.drafter.function(syntax.FuncItem(extern.header, extern.id, extern.function))
        if extern.interface is not None:
            assert extern.id is not None
            interface = self.namespace.new_interface(None, extern.id.span)
            with self.drafter.inner_scope():
                self._interface(interface, extern.interface, extern.header)
            return InterfaceItem(interface, None, interface.stability, external_id_of(attributes), extern.id.span)
        assert extern.path is not None
        gate, external_id = stability_of(attributes), external_id_of(attributes)
        interface = self.namespace.interface_at(extern.path)
        return InterfaceItem(interface, documentation(extern.header.comments), gate, external_id, extern.span)


def _source_order(
    items: Iterable[syntax.InterfaceItem | syntax.WorldItem], edges: dict[str, list[syntax.Id]]
) -> dict[str, list[syntax.Id]]:
    """`edges` in the order of the text, uses and definitions mixed."""
    ordered: dict[str, list[syntax.Id]] = {}
    for item in items:
        if isinstance(item, syntax.TypeItem):
            ordered.setdefault(item.id.name, edges[item.id.name])
        elif isinstance(item, syntax.Use):
            for _, alias in item.names:
                ordered.setdefault(alias.name, edges[alias.name])
    return ordered
