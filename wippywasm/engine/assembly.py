"""A core module together with where each of its imports comes from: found out once, instantiated many times.

In: a compiled module and, in the order of its imports, a `Source` each. Out: instances, in any store. Sources name what
a store will have, an instance or a host function, by its number, so that a part serves every store alike; what an
engine works out about a part stays with it (`prepared`). A store that gains by that has an `assemble` of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from wippywasm.core import CoreFuncType
from wippywasm.dataclass import dataclass
from wippywasm.engine.port import CoreCallable, CoreInstance, CoreItem, Module, Store

Make: TypeAlias = Callable[[int], CoreCallable]
"""Makes the host function of that number for one guest; called when the guest first calls the function."""


@dataclass(frozen=True, slots=True)
class HostSource:
    """Host function `number` of the guest; with `waits`, one that may park it."""

    number: int
    type: CoreFuncType
    name: str
    waits: bool = False


@dataclass(frozen=True, slots=True)
class ExportSource:
    """What instance `instance` of the guest exports under `name`."""

    instance: int
    name: str


Source: TypeAlias = HostSource | ExportSource


class Part:
    """A module and the sources of its imports. `prepared` is what an engine wants to remember about it."""

    __slots__ = ("module", "prepared", "sources")

    def __init__(self, module: Module, sources: Sequence[Source]) -> None:
        self.module = module
        self.sources = tuple(sources)
        self.prepared: Any = None


def assemble(store: Store, parts: Sequence[Part], instances: list[CoreInstance], make: Make) -> None:
    """Instantiate each part in `store` and append it to `instances`, which are those that the sources name.

    Raises as `Store.instantiate` does.
    """
    own: Callable[[Sequence[Part], list[CoreInstance], Make], None] | None = getattr(store, "assemble", None)
    if own is not None:
        own(parts, instances, make)
        return
    for part in parts:
        made = {source: _item(store, source, instances, make) for source in dict.fromkeys(part.sources)}
        instances.append(store.instantiate(part.module, [made[source] for source in part.sources]))


def _item(store: Store, source: Source, instances: Sequence[CoreInstance], make: Make) -> CoreItem:
    if isinstance(source, ExportSource):
        return instances[source.instance].export(source.name)
    return store.host_func(source.type, late(make, source.number), source.name)


def late(make: Make, number: int) -> CoreCallable:
    """A host function, made when it is first called: most imports of most guests never are."""
    made: CoreCallable | None = None

    def call(*args: Any) -> Any:
        nonlocal made
        if made is None:
            made = make(number)
        return made(*args)

    return call
