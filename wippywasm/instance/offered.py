"""Interfaces that the runtime itself offers, typed by the WIT that comes with it.

In: the shipped WIT. Out: the types of each interface, one set of resource types for all of them, and the base of the
objects that serve them. What a guest imports is compared with these types when it is linked: a guest that declares
another signature for a function, and so could pass one resource for another, is refused.

Spec: SPEC section 7; DESIGN section 1 (`wit/`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, ClassVar

from wippywasm.dataclass import dataclass
from wippywasm.instance.names import split_version
from wippywasm.model import FuncType, ResourceType

if TYPE_CHECKING:
    from wippywasm.wit import Flattener, Interface


@dataclass(frozen=True)
class OfferedTypes:
    """An interface's functions and resources by WIT name; `version` is that of the shipped WIT."""

    version: str
    functions: Mapping[str, FuncType]
    resources: Mapping[str, ResourceType]


@cache
def offered_types() -> Mapping[str, OfferedTypes]:
    """Every shipped interface by its name without a version."""
    from wippywasm.wit import Flattener, host_packages  # a guest without such imports needs no parser

    flattener = Flattener()
    return {split_version(i.id)[0]: _types(i, flattener) for i in host_packages().interfaces if i.id is not None}


def _types(interface: Interface, flattener: Flattener) -> OfferedTypes:
    assert interface.id is not None
    resources = {n: flattener.resource(t) for n, t in interface.types.items() if t.is_resource}
    return OfferedTypes(split_version(interface.id)[1], flattener.functions(interface), resources)


class HostInterface:
    """Serves one interface of the shipped WIT, named `wit` without its version.

    Functions are methods under their Python names, resources are classes under theirs. `only` is the one version of the
    import that is served, or None for every compatible one.
    """

    wit: ClassVar[str]
    only: str | None = None

    def serves(self, import_name: str) -> bool:
        """Whether it may stand for that import, which is one of its interface."""
        return self.only is None or split_version(import_name)[1] == self.only
