"""Which import is supplied by which export.

In: the socket and its plugs, in order. Out: for each part, where each of its imports comes from.

A plug supplies the parts before it: the socket, and the plugs that were named earlier. So two plugs may depend on each
other in one direction, and there are no circles. An import takes the first plug that exports it under its name, or else
under the newest version that is compatible.

Spec: `Explainer.md`, "Canonical Interface Name" (semver compatibility).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field

from wippywasm.binary.component import Component, ComponentType
from wippywasm.dataclass import dataclass
from wippywasm.errors import InvalidError
from wippywasm.instance.host_components import component_mismatch
from wippywasm.instance.names import best_match


@dataclass(frozen=True)
class Part:
    """A component and what messages call it."""

    label: str
    component: Component = field(repr=False)


@dataclass(frozen=True)
class Plugged:
    """An export of a plug: `plug` is its place among the parts."""

    plug: int
    export: str


Wiring = list[dict[str, Plugged]]
"""For each part its imports that are supplied, by name."""


def wire(parts: Sequence[Part]) -> Wiring:
    """Raises InvalidError for a plug of no use, and for an export of another type than the import that it is for."""
    wiring = [_supplied(parts, place) for place in range(len(parts))]
    used = {found.plug for supplied in wiring for found in supplied.values()}
    for place, part in enumerate(parts[1:], 1):
        if place not in used:
            raise _useless(parts[:place], part)
    return wiring


def _supplied(parts: Sequence[Part], place: int) -> dict[str, Plugged]:
    found: dict[str, Plugged] = {}
    for name in parts[place].component.type.imports:
        for plug in range(place + 1, len(parts)):
            export = best_match(name, parts[plug].component.type.exports)
            if export is not None:
                _check(parts[place], name, parts[plug], export)
                found[name] = Plugged(plug, export)
                break
    return found


def _check(socket: Part, name: str, plug: Part, export: str) -> None:
    have, need = plug.component.type.exports[export], socket.component.type.imports[name]
    why = component_mismatch(ComponentType({}, {name: have}), ComponentType({}, {name: need}))
    if why is not None:
        why = why.removeprefix(f"export {name!r}: ")
        message = f"{plug.label} exports {export!r}, and it is not what {socket.label} imports as {name!r}: {why}"
        raise InvalidError(message)


def _useless(before: Sequence[Part], plug: Part) -> InvalidError:
    wanted = dict.fromkeys(name for part in before for name in part.component.type.imports)
    what = ", ".join(list(plug.component.type.exports)[:8]) or "nothing"
    hint = (
        f"{before[0].label} imports {', '.join(list(wanted)[:8])}" if wanted else f"{before[0].label} imports nothing"
    )
    return InvalidError(f"{plug.label} exports nothing that is imported: it exports {what}", hint=hint)
