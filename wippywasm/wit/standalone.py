"""One world as a document of its own, with nothing but what its types need.

In: a world. Out: WIT text that parses to the same world, as far as types and names go: without documentation and gates,
with includes expanded.
Spec: `WIT.md`, "WIT Worlds".
"""

from __future__ import annotations

from collections.abc import Iterator

from wippywasm.wit.printer import Printer
from wippywasm.wit.resolved import Interface, InterfaceItem, Package, Stability, World, used_interface


def world_document(world: World) -> str:
    """The world, the interfaces that it names, and those whose types they use."""
    needed: dict[Interface, None] = {}
    for item in (*world.imports.values(), *world.exports.values()):
        if isinstance(item, InterfaceItem):
            _need(item.interface, needed)
    main = world.package
    assert main is not None
    packages = dict.fromkeys([main, *(i.package for i in needed if i.name is not None and i.package is not None)])
    return "\n".join(_print(p, world, needed) for p in packages)


def _need(interface: Interface, needed: dict[Interface, None]) -> None:
    """Add an interface behind those whose types it uses."""
    todo = [interface]
    while todo:
        here = todo[-1]
        missing = [u for u in map(used_interface, here.types.values()) if u is not None and u not in needed]
        if missing:
            todo += dict.fromkeys(missing)
        else:
            needed.setdefault(todo.pop())


def _print(package: Package, world: World, needed: dict[Interface, None]) -> str:
    printer = _Plain(package, world, needed)
    printer.package_items(package is not world.package)
    return printer.text()


class _Plain(Printer):
    def __init__(self, package: Package, wanted: World, needed: dict[Interface, None]) -> None:
        super().__init__(package)
        self.wanted = wanted
        self.needed = needed

    def interfaces(self) -> Iterator[Interface]:
        return (i for i in super().interfaces() if i in self.needed)

    def worlds(self) -> Iterator[World]:
        return (w for w in [self.wanted] if w.package is self.package)

    def as_written(self, world: World) -> World:
        return world

    def docs(self, docs: str | None) -> None:
        """Nothing: `generate` has it from the world itself."""

    def gate(self, gate: Stability) -> None:
        """Nothing: what is not there has gone before."""
