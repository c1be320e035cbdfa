"""One world and all that it needs, out of a resolution; and where worlds come from.

In: a file of any kind. Out: a resolved world, and the text of a WIT document that has nothing else in it.

Spec: `WIT.md`, "WIT Worlds".
"""

from __future__ import annotations

from wippywasm.wit import Interface, World, print_package
from wippywasm.wit.resolved import InterfaceItem, used_interface


def world_text(world: World) -> str:
    """A document with the world and the interfaces that it names or needs."""
    needed: dict[Interface, None] = {}
    for item in (*world.imports.values(), *world.exports.values()):
        if isinstance(item, InterfaceItem):
            _need(item.interface, needed)
    main = world.package
    assert main is not None
    only: set[Interface | World] = {world, *needed}
    packages = dict.fromkeys([main, *(i.package for i in needed if i.name is not None and i.package is not None)])
    return "\n".join(print_package(p, nested=p is not main, only=only) for p in packages)


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
