"""What a binary says of itself in WIT.

In: a decoded component, or the custom sections of a core module. Out: a resolution of packages, and its text: all of
it, or without the interfaces that come with this runtime, which everyone has.

Spec: `WIT.md`; the section `component-type…`, in which bindings generators leave a core module's world.
"""

from __future__ import annotations

from collections.abc import Iterable

from wippywasm import wit
from wippywasm.binary.component import CustomSection
from wippywasm.errors import WippyError
from wippywasm.wit import Resolution

SECTION = "component-type"


def embedded_world(customs: Iterable[CustomSection]) -> Resolution | None:
    """The world that a bindings generator left in a core module; None where there is none that can be read."""
    for custom in customs:
        if custom.name.startswith(SECTION):
            try:
                return wit.decode(bytes(custom.data))
            except WippyError:
                continue
    return None


def whole_text(resolution: Resolution) -> str:
    """All packages as WIT."""
    return wit.print_resolution(resolution)


def own_text(resolution: Resolution) -> str:
    """The world, and the packages that are not this runtime's own."""
    shipped = {(p.name.namespace, p.name.name) for p in wit.host_packages().packages}
    others = [p for p in resolution.packages if p is not resolution.main]
    own = [p for p in others if (p.name.namespace, p.name.name) not in shipped]
    return "\n".join([*_main(resolution), *(wit.print_package(p, nested=True) for p in own)])


def _main(resolution: Resolution) -> list[str]:
    """The package that the world is of; of a component, whose package is only a name, the world alone."""
    main = resolution.main
    if main is None:
        return []
    return [wit.print_package(main)] if main.interfaces else [wit.print_world(w) for w in main.worlds.values()]
