"""What a component's import of a resource is linked to, and when it is that of another guest.

In: what Python supplies for it: a class, a factory, nothing, or a resource that a guest exports. Out: `HostClass`, or
the guest's own resource.

Spec: SPEC section 14; `Explainer.md` (type checking: resource types are generative).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import MethodType
from typing import Any

from wippywasm.abi.state import HostObject, RuntimeResource
from wippywasm.awaitables import discard, only_makes_coroutines
from wippywasm.binary.component import DefinedType
from wippywasm.errors import InvalidError, LinkError
from wippywasm.instance.exports import ExportedInstance, ExportedResource
from wippywasm.instance.linked import HostClass, Identity, LinkedResource
from wippywasm.instance.offered import HostInterface
from wippywasm.instance.providers import MISSING, find_resource
from wippywasm.model import ResourceType
from wippywasm.plan.substitute import Substitution


def class_given(provider: Any, name: str) -> Any:
    """What a provider has for a resource."""
    if isinstance(provider, ExportedInstance):
        return ExportedResource(provider, name) if isinstance(provider._items.get(name), ResourceType) else MISSING
    return MISSING if provider is MISSING else find_resource(provider, name)


def of_guest(given: ExportedResource) -> LinkedResource:
    """A resource that a guest exports. Of the host's that it passes on, each guest has objects of its own."""
    resource = given._resource
    linked: HostClass | None = resource.linked
    return linked or resource


def of_host(name: str, given: Any, provider: Any, shipped: ResourceType | None = None) -> HostClass:
    """A resource for which `provider` has a class or a factory, or nothing; `shipped` where it is one of ours."""
    identity = _identity(name, given, provider) if shipped is None else Identity(shipped)
    if isinstance(provider, HostInterface):
        return HostClass(name, identity, drop_object, close_object)
    return HostClass(name, identity, close_object, cls=_class_to_check(given))


def _identity(name: str, given: Any, provider: Any) -> Identity:
    if isinstance(given, MethodType):  # each look at it makes another
        return Identity(given.__self__, given.__func__)
    if callable(given) and given is not object and given is not Any:
        return Identity(given)
    if provider is MISSING:
        return Identity(object())  # what is denied is like no other
    return Identity(provider, name)


def hint_of_hosts(type: DefinedType, resources: Mapping[ResourceType, RuntimeResource]) -> str | None:
    """What to do where the types of two guests differ, if a resource of the host is in that of the one."""
    found = False

    def look(resource: ResourceType) -> ResourceType:
        nonlocal found
        found = found or resources[resource].impl is None
        return resource

    Substitution(look).type(type)
    if not found:
        return None
    return (
        "a resource of the host is the same where both guests are given one class for it, or granted its interface; "
        "otherwise give a Python function that calls the guest's"
    )


def drop_object(held: HostObject) -> None:
    """The destructor of an object that a `HostInterface` gave out: its `drop`, which may trap, else `close_object`."""
    drop = _method(held.value, "drop")
    if drop is None:
        close_object(held)
        return
    # Nothing may come between these: see `abi.entry`.
    was, held.own = held.own, False
    if was:
        drop()


def close_object(held: HostObject) -> None:
    """The destructor of a Python object: its `close`, where it has one. Raises InvalidError where that would wait."""
    close = _method(held.value, "close")
    # Nothing may come between these: see `abi.entry`.
    was, held.own = held.own, False
    if was and close is not None:
        ended = close()
        if inspect.isawaitable(ended):
            discard(ended)
            raise InvalidError(f"`close` of {type(held.value).__name__} {_NEVER_WAITS}", hint=_PLAIN)


def _method(value: Any, name: str) -> Callable[[], Any] | None:
    method = getattr(value, name, None)
    return method if callable(method) else None


_NEVER_WAITS = "is async, and a destructor can't wait"
_PLAIN = "make it a plain function, which may start a task of its own"


def check_destructor(given: Any, name: str, where: str) -> None:
    """Refuse a class whose objects could not be closed."""
    if isinstance(given, type) and only_makes_coroutines(getattr(given, "close", None)):
        raise LinkError(f"`close` of the class given for {name} {_NEVER_WAITS}", where, hint=_PLAIN)


def _class_to_check(given: Any) -> type:
    """The class that a host's objects have to be of: none for a factory, or a protocol that says nothing of objects."""
    try:
        isinstance(None, given)
    except TypeError:
        return object
    return given if isinstance(given, type) else object
