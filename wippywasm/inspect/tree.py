"""The nesting of a binary as a tree: what is inside of what, with sizes, and which instance is made of what.

In: a decoded component, or a core module's outside. Out: `Node`s. Types, aliases and canonical definitions are counted,
not listed: a component has thousands.

Spec: `Explainer.md` (component definitions).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from wippywasm.binary import component as c
from wippywasm.binary.core_module import CoreModuleInfo
from wippywasm.core import CoreMemoryType, CoreTableType
from wippywasm.errors import counted
from wippywasm.inspect.model import Node
from wippywasm.model import FuncType
from wippywasm.plan.describe import describe_func

_COUNTED: dict[type[c.Definition], str] = {
    c.TypeDefinition: "types",
    c.CoreTypeDefinition: "core types",
    c.ResourceDefinition: "resources",
    c.AliasExport: "aliases",
    c.AliasCoreExport: "aliases",
    c.AliasOuter: "aliases",
    c.CanonLift: "lifted functions",
    c.CanonLower: "lowered functions",
    c.CanonResource: "built-ins",
    c.CanonBuiltin: "built-ins",
}
_SORTED = (c.AliasExport, c.AliasCoreExport, c.AliasOuter)

MOST_NODES = 5_000
"""The parts that are listed of one file; of the others there is the number."""


class Listing:
    """How many more parts of a file are listed."""

    def __init__(self) -> None:
        self.left = MOST_NODES
        self.describe = cache(describe_func)  # thousands may be of one type

    def first(self, nodes: Iterable[Node]) -> Iterator[Node]:
        """Those that are, and the number of the others; these are not kept."""
        more = 0
        for node in nodes:
            if self.left > 0:
                self.left -= 1
                yield node
            else:
                more += 1
        if more:
            yield Node("…", f"… and {more:,} more")


def component_tree(component: c.Component) -> Node:
    """A component and all that is inside of it, as far as it is listed."""
    return _Tree(component, Listing()).node("component")


class _Tree:
    """The walk over one component; counts index spaces as far as labels name them."""

    def __init__(self, component: c.Component, listing: Listing) -> None:
        self.component = component
        self.listing = listing
        self.spaces: Counter[str] = Counter()
        self.counted: Counter[str] = Counter()

    def node(self, label: str) -> Node:
        children = tuple(self.listing.first(self._nodes()))
        detail = ", ".join(f"{count} {what}" for what, count in self.counted.items())
        return Node("component", label, len(self.component.wasm), detail, children)

    def _nodes(self) -> Iterator[Node]:
        for d in self.component.definitions:
            node = self._definition(d)
            if node is not None:
                yield node
        yield from (Node("custom section", s.name, len(s.data)) for s in self.component.customs)

    def _definition(self, d: c.Definition) -> Node | None:
        what = _COUNTED.get(type(d))
        if what is not None:
            self.counted[what] += 1
            if isinstance(d, _SORTED):
                self.spaces[d.sort] += 1
            return None
        match d:
            case c.CoreModule():
                return module_node(d.info, len(d.wasm), self._next("core module"), self.listing)
            case c.NestedComponent():
                return _Tree(d.component, self.listing).node(self._next("component"))
            case c.InstantiateModule():
                args = [f"{name or '(empty name)'} = core instance {index}" for name, index in d.args]
                return Node("core instance", self._next("core instance"), detail=_of(f"core module {d.module}", args))
            case c.InstantiateComponent():
                args = [f"{name} = {sort} {index}" for name, sort, index in d.args]
                return Node("instance", self._next("instance"), detail=_of(f"component {d.component}", args))
            case c.Import():
                return Node("import", d.name, detail=self._extern(d.type, self._next(_sort(d.type))))
            case c.Export():
                self.spaces[d.sort] += 1
                return Node("export", d.name, detail=f"{d.sort} {d.index}")
            case c.CoreInlineExports() | c.InlineExports():
                self._next("core instance" if isinstance(d, c.CoreInlineExports) else "instance")
                self.counted["bundles of items"] += 1
        return None

    def _extern(self, extern: Any, label: str) -> str:
        return f"{label}: {self.listing.describe(extern)}" if isinstance(extern, FuncType) else label

    def _next(self, sort: str) -> str:
        self.spaces[sort] += 1
        return f"{sort} {self.spaces[sort] - 1}"


def module_node(info: CoreModuleInfo, size: int, label: str, listing: Listing) -> Node:
    """A core module with its memories, tables and custom sections."""
    name = f" {info.module_name!r}" if info.module_name else ""
    counts = (("function", info.functions), ("import", info.imports), ("export", info.exports))
    detail = ", ".join(counted(len(items), noun) for noun, items in counts)
    return Node("core module", f"{label}{name}", size, detail, tuple(listing.first(_outside(info))))


def _outside(info: CoreModuleInfo) -> Iterator[Node]:
    yield from (Node("memory", describe_memory(m)) for m in info.memories)
    yield from (Node("table", describe_table(t)) for t in info.tables)
    yield from (Node("custom section", s.name, len(s.data)) for s in info.customs)


def describe_memory(m: CoreMemoryType) -> str:
    """`17 pages (1.1 MiB) to 100 pages`."""
    size = m.limits.minimum << m.page_size_log2
    most = "no maximum" if m.limits.maximum is None else f"at most {m.limits.maximum:,}"
    marks = ", shared" * m.shared + ", 64-bit" * m.is_64
    return f"{counted(m.limits.minimum, 'page')} ({human_size(size)}), {most}{marks}"


def describe_table(t: CoreTableType) -> str:
    most = "no maximum" if t.limits.maximum is None else f"at most {t.limits.maximum:,}"
    return f"{t.limits.minimum:,} of {t.element}, {most}"


def human_size(size: int) -> str:
    """`512 bytes`, `18.2 KiB`, `12.4 MiB`."""
    value, unit = float(size), 0
    while value >= 1024 and unit < 4:
        value, unit = value / 1024, unit + 1
    return counted(size, "byte") if unit == 0 else f"{value:.1f} {('KiB', 'MiB', 'GiB', 'TiB')[unit - 1]}"


def _of(what: str, args: list[str]) -> str:
    return f"of {what}" + (f" with {', '.join(args)}" if args else "")


def _sort(extern: Any) -> str:
    return _SORTS.get(type(extern), "func")


_SORTS: dict[type[object], str] = {
    c.ModuleType: "core module",
    c.ComponentType: "component",
    c.InstanceType: "instance",
    c.TypeBound: "type",
    c.ValueBound: "value",
}
