"""A plan with everything it imports found: what an instantiation takes from the host.

In: what the linker found. Out: immutable data, good for any number of instances.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any, NoReturn, Protocol, TypeAlias, runtime_checkable

from wippywasm.abi.state import HostObject, RuntimeResource
from wippywasm.dataclass import dataclass
from wippywasm.engine.port import CoreCallable, CoreMemory
from wippywasm.errors import PermissionDeniedError, UnsupportedFeatureError
from wippywasm.instance.bound import Bound
from wippywasm.instance.grants import grant_for, is_offered
from wippywasm.instance.host_modules import LinkedModule


@dataclass(frozen=True)
class Denied:
    """An import that was not granted: calling it is what fails, not linking it. `name` has the function's name too."""

    import_name: str
    name: str

    def __call__(self, *args: object) -> NoReturn:
        if not is_offered(self.import_name):
            given = f"imports={{{self.import_name!r}: …}}"
            plugged = ", in an app by `with:` and a component that exports it" * (":" in self.import_name)
            raise PermissionDeniedError(
                f"the guest called {self.name}, which nothing serves",
                hint=f"no host of this runtime offers it; from Python, supply it with {given}{plugged}",
                details={"import": self.import_name},
            )
        grant = grant_for(self.import_name)
        raise PermissionDeniedError(
            f"the guest called {self.name}, which it was not granted",
            hint=f"declare {grant!r} under `imports` to grant it",
            details={"import": self.import_name, "grant": grant},
        )


@dataclass(frozen=True)
class NotOffered:
    """A function that an interface of ours does not have, perhaps of a later version: calling it is what fails."""

    name: str

    def __call__(self, *args: object) -> NoReturn:
        raise UnsupportedFeatureError(f"the function {self.name}", "wippywasm")


class Identity:
    """What a resource of the host is to guests that are linked to each other: the same where it has the same source.

    That is its type in a shipped interface; or the class given for it; or where none is, what serves the interface that
    has it, by that name.
    """

    __slots__ = ("name", "source")

    def __init__(self, source: object, name: object = "") -> None:
        self.source = source
        self.name = name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Identity) and self.source is other.source and self.name == other.name

    def __hash__(self) -> int:
        return hash((id(self.source), self.name))


@dataclass(frozen=True, eq=False)
class HostClass:
    """A resource type that Python implements: any object of the class `cls` can be one.

    `dtor` is called when the guest drops it, `end` (or else `dtor`) for those that it still has when it is closed.
    """

    name: str
    identity: Identity
    dtor: Callable[[HostObject], None]
    end: Callable[[HostObject], None] | None = None
    cls: type = object


LinkedResource: TypeAlias = "HostClass | RuntimeResource"
"""A `RuntimeResource` is another guest's."""


class CoreContext:
    """What a host of core functions may see of its guest: the memory, once there is one, and its end.

    `at_end` takes what is to be called when the guest is closed.
    """

    def __init__(self, memory: Callable[[], CoreMemory], at_end: Callable[[Callable[[], None]], None]) -> None:
        self.memory = memory
        self.at_end = at_end


@runtime_checkable
class CoreHost(Protocol):
    """Supplies core functions as they are to modules that import them, such as preview 1.

    Functions take and give core values by the engine port's convention; one that waits returns `waiting.Waiting`.
    `core_types`, where a host has it, are the types of its functions: a module that declares others is refused.
    """

    def link_core(self, context: CoreContext) -> Mapping[str, CoreCallable]:
        """The functions for one guest, by their names in the module."""
        ...


@dataclass(frozen=True)
class CoreBinding:
    """One core import: `name` of `host`, whose functions are made for each guest; `otherwise` where it is not there."""

    host: CoreHost
    name: str
    otherwise: Denied


@dataclass(frozen=True, eq=False)
class Linked:
    """In the order of the plan's own lists. A function takes and returns what `abi.lower` expects.

    `own` are the numbers of those functions that are Python's, of no host of ours and of no other guest.
    """

    functions: tuple[Callable[..., Any], ...]
    resources: tuple[LinkedResource, ...]
    modules: tuple[LinkedModule, ...]
    core: tuple[CoreCallable | CoreBinding, ...]
    own: frozenset[int] = frozenset()
    bound: Bound = field(default_factory=Bound)
