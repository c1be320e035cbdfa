"""What a binary says of itself in WIT.

In: a decoded component, or the custom sections of a core module. Out: a resolution of packages, and its text: all of
it, or without the interfaces that come with this runtime, which everyone has.

Spec: `WIT.md`; the section `component-type…`, in which bindings generators leave a core module's world.
"""

from __future__ import annotations

from collections.abc import Iterable

from wippywasm import wit
from wippywasm.binary.component import Component, CustomSection
from wippywasm.errors import InvalidError
from wippywasm.inspect.model import WorldTexts
from wippywasm.wit import Resolution

SECTION = "component-type"


def embedded_world(customs: Iterable[CustomSection]) -> Resolution | None:
    """The world that a bindings generator left in a core module; None where there is none that can be read."""
    return wit.decode_first([custom.data for custom in customs if custom.name.startswith(SECTION)])


def component_texts(component: Component) -> WorldTexts:
    """The texts of a component's world, of which nothing else is kept."""
    try:
        resolution = wit.world_of_component(component)
    except InvalidError as error:
        return WorldTexts(fault=error.message)
    texts = texts_of(resolution)
    _take_apart(resolution)
    return texts


def _take_apart(resolution: Resolution) -> None:
    """Let the parts go at once, which know each other: they take as much as a plan, and Python collects them late."""
    for interface in resolution.interfaces:
        interface.types.clear()
        interface.functions.clear()
    for world in resolution.worlds:
        world.imports.clear()
        world.exports.clear()


def texts_of(resolution: Resolution, *, whole: bool = False) -> WorldTexts:
    """All packages as WIT, each printed once; all of them are shown if `whole`, else without this runtime's own.

    For a world that WIT can't say, why.
    """
    try:
        return _texts(resolution, whole)
    except InvalidError as error:
        return WorldTexts(fault=error.message)


def _texts(resolution: Resolution, whole: bool) -> WorldTexts:
    shipped = set() if whole else {(p.name.namespace, p.name.name) for p in wit.host_packages().packages}
    printed = wit.print_packages(resolution)
    main, head = next(printed)
    hidden = 0 if whole or main.interfaces else len(head.partition("\n\n")[0]) + 2
    others = ((text, (p.name.namespace, p.name.name) not in shipped) for p, text in printed)
    return WorldTexts(((head, True), *others), hidden)
