"""The bytes of a composition: imports, the parts as nested components, their instances, the socket's exports.

In: parts, wiring, leftover imports. Out: a component's binary; it is not validated here.

Spec: component-model `Binary.md` (component, instance, alias and export definitions).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wippywasm.binary.component import InstanceType, TypeBound
from wippywasm.composition.leftover import Leftover
from wippywasm.composition.wiring import Part, Plugged, Wiring
from wippywasm.errors import InvalidError
from wippywasm.leb128 import unsigned
from wippywasm.model import ResourceType
from wippywasm.plan.scope import sort_of
from wippywasm.wit import encode_imports, world_of_imports
from wippywasm.wit.encode import PREAMBLE
from wippywasm.wit.encode_types import name_bytes, vector

_COMPONENTS, _INSTANCES, _ALIASES, _EXPORTS = 4, 5, 6, 11
_SORTS = {
    "core module": b"\x00\x11",
    "func": b"\x01",
    "value": b"\x02",
    "type": b"\x03",
    "component": b"\x04",
    "instance": b"\x05",
}


def write(parts: Sequence[Part], wiring: Wiring, leftover: Leftover) -> bytes:
    """Raises InvalidError for an import that has no binary form outside of the component that it comes from."""
    return _Writer(parts, wiring, leftover).write()


class _Writer:
    def __init__(self, parts: Sequence[Part], wiring: Wiring, leftover: Leftover) -> None:
        self.parts = parts
        self.wiring = wiring
        self.leftover = leftover
        encoded = encode_imports(world_of_imports(leftover.named))
        self.sections = [PREAMBLE, encoded.sections]
        self.outer = encoded.items
        nameless = next((name for name in leftover.imports if name not in encoded.items), None)
        if nameless is not None:
            raise InvalidError(f"nothing supplies import {nameless!r}, which has no name of WIT: plug it")
        self.counts = dict(encoded.counts)
        self.instances: dict[int, int] = {}
        self.aliases: dict[tuple[int, str], int] = {}

    def write(self) -> bytes:
        for part in self.parts:
            self.section(_COMPONENTS, bytes(part.component.wasm))
        for place in reversed(range(len(self.parts))):
            self.instances[place] = self.instantiate(place)
        for name, extern in self.parts[0].component.type.exports.items():
            self.export(name, sort_of(extern), self.alias(self.instances[0], name, sort_of(extern)))
        return b"".join(self.sections)

    def section(self, id: int, content: bytes) -> None:
        self.sections.append(bytes([id]) + unsigned(len(content)) + content)

    def count(self, sort: str) -> int:
        """The index of the item that is defined next."""
        self.counts[sort] = self.counts.get(sort, 0) + 1
        return self.counts[sort] - 1

    def instantiate(self, place: int) -> int:
        imports = self.parts[place].component.type.imports
        args = [name_bytes(name) + self.argument(place, name, extern) for name, extern in imports.items()]
        self.section(_INSTANCES, unsigned(1) + b"\x00" + unsigned(place) + vector(args))
        return self.count("instance")

    def argument(self, place: int, name: str, extern: Any) -> bytes:
        """The sort and index of what a part's import is given."""
        plugged = self.wiring[place].get(name)
        if plugged is not None:
            sort = sort_of(extern)
            return _SORTS[sort] + unsigned(self.alias(self.instances[plugged.plug], plugged.export, sort))
        of_plug = self.plugged_resource(place, extern)
        if of_plug is not None:
            return _SORTS["type"] + unsigned(of_plug)
        sort, index = self.outer[self.leftover.names[place][name]]
        return _SORTS[sort] + unsigned(index)

    def plugged_resource(self, place: int, extern: Any) -> int | None:
        """For a type import that is a resource of a plugged instance: the index of that type."""
        if not isinstance(extern, TypeBound) or not isinstance(extern.type, ResourceType) or extern.fresh:
            return None
        for name, plugged in self.wiring[place].items():
            found = self.parts[place].component.type.imports[name]
            for inner, bound in found.exports.items() if isinstance(found, InstanceType) else ():
                if isinstance(bound, TypeBound) and bound.type is extern.type:
                    return self.alias(self.plugged_instance(plugged), inner, "type")
        return None

    def plugged_instance(self, plugged: Plugged) -> int:
        return self.alias(self.instances[plugged.plug], plugged.export, "instance")

    def alias(self, instance: int, name: str, sort: str) -> int:
        """The index of an export of an instance."""
        known = self.aliases.get((instance, name))
        if known is None:
            content = _SORTS[sort] + b"\x00" + unsigned(instance) + name_bytes(name)
            self.section(_ALIASES, unsigned(1) + content)
            known = self.aliases[instance, name] = self.count(sort)
        return known

    def export(self, name: str, sort: str, index: int) -> None:
        content = b"\x00" + name_bytes(name) + _SORTS[sort] + unsigned(index) + b"\x00"
        self.section(_EXPORTS, unsigned(1) + content)
        self.count(sort)
