"""What one guest gives to another: functions that know their types, and when two types are the same.

In: functions and resources that guests export. Out: `GuestFunction`, found again in whatever Python passes on; types in
terms of resources that are the same only where they are the same at run time: two instances of one component have
resources of their own.

Spec: `Explainer.md` (type checking: resource types are generative).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from wippywasm.abi.state import RuntimeResource
from wippywasm.binary.component import DefinedType
from wippywasm.instance.linked import HostClass, Identity, LinkedResource
from wippywasm.model import FuncType, ResourceType, ValType
from wippywasm.plan.substitute import Substitution

_MARK = "guest_function"


class GuestFunction:
    """The type of a function that a guest exports, over `resources`.

    `lifted` is what a component calls in place of the function; None where that is the function itself.
    """

    __slots__ = ("lifted", "resources", "type")

    def __init__(
        self,
        type: FuncType,
        resources: Mapping[ResourceType, RuntimeResource],
        lifted: Callable[..., Any] | None,
    ) -> None:
        self.type = type
        self.resources = resources
        self.lifted = lifted


def mark(
    function: Callable[..., Any],
    type: FuncType,
    resources: Mapping[ResourceType, RuntimeResource],
    lifted: Callable[..., Any],
) -> None:
    """Let `guest_function` know a function that a guest exports."""
    function.__dict__[_MARK] = function.__code__, type, resources, None if lifted is function else lifted


def guest_function(given: Any) -> GuestFunction | None:
    """What is known of a guest's function; None for any other, one that wraps a guest's function included."""
    found = getattr(given, _MARK, None)
    # `functools.wraps` copies attributes, so the mark counts only where it was made.
    if not isinstance(found, tuple) or found[0] is not getattr(given, "__code__", None):
        return None
    return GuestFunction(*found[1:])


class Identities:
    """Types of several guests in common terms: one `ResourceType` for each resource that there is at run time, where
    those of the host are one for all guests."""

    def __init__(self) -> None:
        self._of: dict[RuntimeResource | Identity, ResourceType] = {}

    def resource(self, found: LinkedResource) -> ResourceType:
        """What stands for a resource of any guest, or of the host."""
        linked: HostClass | None = found if isinstance(found, HostClass) else found.linked
        if linked is not None:
            return self._of.setdefault(linked.identity, ResourceType(found.name))
        assert isinstance(found, RuntimeResource)
        return self._of.setdefault(found, ResourceType(found.name))

    def over(self, resources: Mapping[ResourceType, RuntimeResource]) -> Substitution:
        """The substitution that brings a guest's types into common terms."""
        return Substitution(lambda r: self.resource(resources[r]))


def same_types(a: FuncType, b: FuncType) -> bool:
    """Whether two functions have the same types in the same places: all that counts for one in Python, which is called
    by places. Those of two components have to be of one type, with the names of its parameters.
    """
    return [p.type for p in a.params] == [p.type for p in b.params] and a.result is b.result


def same_named_type(a: DefinedType, b: DefinedType) -> bool:
    """Whether two types that an instance exports by name are the same; those of instances and components are alike."""
    if isinstance(a, FuncType | ValType | ResourceType) or isinstance(b, FuncType | ValType | ResourceType):
        return a is b
    return type(a) is type(b)
