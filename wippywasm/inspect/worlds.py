"""What a binary says of itself in WIT.

In: a decoded component, or the custom sections of a core module. Out: a resolution of packages, and its text: all of
it, or without the interfaces that come with this runtime, which everyone has.

Spec: `WIT.md`; the section `component-type…`, in which bindings generators leave a core module's world.
"""

from __future__ import annotations

from collections.abc import Iterable

from wippywasm import wit
from wippywasm.binary.component import CustomSection
from wippywasm.wit import Package, Resolution

SECTION = "component-type"


def embedded_world(customs: Iterable[CustomSection]) -> Resolution | None:
    """The world that a bindings generator left in a core module; None where there is none that can be read."""
    return wit.decode_first([custom.data for custom in customs if custom.name.startswith(SECTION)])


def whole_text(resolution: Resolution) -> str:
    """All packages as WIT."""
    return wit.print_resolution(resolution)


def texts(resolution: Resolution) -> tuple[str, str]:
    """All packages as WIT, and the world with those that are not this runtime's own; each package is printed once."""
    shipped = {(p.name.namespace, p.name.name) for p in wit.host_packages().packages}
    printed = wit.print_packages(resolution)
    main, head = next(printed)
    others = list(printed)
    own = [text for p, text in others if (p.name.namespace, p.name.name) not in shipped]
    return "\n".join([head, *(text for _, text in others)]), "\n".join([_world_text(main, head), *own])


def _world_text(main: Package, text: str) -> str:
    """The package that the world is of; of a component, whose package is only a name, the world alone."""
    return text if main.interfaces else text.partition("\n\n")[2]
