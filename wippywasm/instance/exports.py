"""What a guest exports, as Python objects: namespaces of functions, and classes for its resources.

In: a plan's exports, and the guest that can make any of them callable. Out: objects whose attributes are the functions'
Python names; what is asked for once is kept.

Attributes that start with an underscore are ours: no WIT name becomes one.

Spec: SPEC section 14.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from wippywasm.abi.resources import GuestResource
from wippywasm.abi.state import RuntimeResource
from wippywasm.errors import InvalidError, NoAttributeError, NotFoundError, UnsupportedFeatureError, with_article
from wippywasm.instance.names import best_match, pascal, snake, split_version
from wippywasm.instance.suggest import did_you_mean
from wippywasm.model import ResourceType
from wippywasm.plan.items import (
    ComponentItem,
    HostFuncRef,
    ImportedModule,
    Item,
    LiftRef,
    PlanInstance,
    StaticModule,
    TypeItem,
)
from wippywasm.plan.mangle import resource_function


class Exporter(Protocol):
    """The guest, as far as its exports need it."""

    def _bind(self, item: LiftRef | HostFuncRef, key: str) -> Callable[..., Any]:
        """The function as Python calls it: returns ok or raises WitError."""
        ...

    def _resources(self) -> Mapping[ResourceType, RuntimeResource]: ...
    def _known_resource(self, type: ResourceType) -> RuntimeResource:
        """One of them, also once the guest is closed."""
        ...

    def _module(self, module: StaticModule | ImportedModule) -> bytes | memoryview: ...
    def _component(self, component: ComponentItem) -> Any:
        """A component that the guest exports, to be instantiated or given to another."""
        ...


def join(prefix: str, name: str) -> str:
    """The key of an export: `name`, or `ns:pkg/iface@1.0.0#name` within an instance."""
    return f"{prefix}#{name}" if prefix else name


def what_was_given(value: Any) -> str:
    """A value as errors name it where another was needed: `an int`."""
    return "a guest or its exports" if isinstance(value, ExportedInstance) else with_article(type(value).__name__)


class ExportedInstance:
    """The exports of a guest, or of one instance that it exports.

    Functions and resources are attributes under their Python names (`transform_users`, `Blob`), as arguments may be
    given by theirs; instances are items under their WIT names: `exports["ns:pkg/iface"]`, where the version, or the
    package, may be left out.
    """

    def __init__(self, guest: Exporter, items: Mapping[str, Item], prefix: str = "") -> None:
        self._guest = guest
        self._items = items
        self._prefix = prefix
        self._made: dict[str, Any] = {}
        self._attributes: dict[str, str] | None = None
        self._members: dict[str, dict[str, str]] | None = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        found = self._by_python_name().get(name)
        if found is None:
            hint = did_you_mean(name, dir(self))
            raise NoAttributeError(f"{self._prefix or 'the guest'} exports nothing called {name!r}{hint}")
        value = self._make(found)
        setattr(self, name, value)
        return value

    def __getitem__(self, name: str) -> Any:
        if not isinstance(name, str):
            raise InvalidError(f"exports are asked for by their names, not by {name!r}")
        known = self._made.get(name)
        if known is not None:
            return known
        found = match_instance(name, self._items)
        if found is None:
            hint = did_you_mean(name, self._items)
            raise NotFoundError(f"{self._prefix or 'the guest'} exports nothing called {name!r}{hint}")
        value = self._made[name] = self._make(found)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __dir__(self) -> list[str]:
        plain = [snake(n) for n in self._named() if not isinstance(self._items[n], ResourceType)]
        return [n for n in plain if n.isidentifier()] + [pascal(n) for n in self._resources()]

    def __repr__(self) -> str:
        return f"<exports {self._prefix or 'of the guest'}: {', '.join(self._items)}>"

    def _named(self) -> list[str]:
        """What can be an attribute under its own name: not types, nor what belongs to a resource."""
        return [n for n, i in self._items.items() if not isinstance(i, TypeItem) and not resource_function(n)]

    def _resources(self) -> list[str]:
        return [name for name, item in self._items.items() if isinstance(item, ResourceType)]

    def _by_python_name(self) -> dict[str, str]:
        """The WIT names of what can be an attribute; the first of those that have one Python name."""
        found = self._attributes
        if found is None:
            found = {}
            for wit in self._named():
                found.setdefault(snake(wit), wit)
            for wit in self._resources():
                found.setdefault(pascal(wit), wit)
            self._attributes = found
        return found

    def _members_of(self, resource: str) -> dict[str, str]:
        """The WIT names of a resource's functions by their Python names; the constructor's is the empty one."""
        members = self._members
        if members is None:
            members = {}
            for wit in self._items:
                parts = resource_function(wit)
                if parts:
                    members.setdefault(parts[1], {}).setdefault(snake(parts[2]), wit)
            self._members = members
        return members.get(resource, {})

    def _make(self, name: str) -> Any:
        item = self._items[name]
        match item:
            case PlanInstance(exports=items):
                return ExportedInstance(self._guest, items, join(self._prefix, name))
            case LiftRef() | HostFuncRef():
                return self._guest._bind(item, join(self._prefix, name))
            case ResourceType():
                return ExportedResource(self, name)
            case StaticModule() | ImportedModule():
                return self._guest._module(item)
            case ComponentItem():
                return self._guest._component(item)
            case _:
                raise UnsupportedFeatureError(f"exports such as {join(self._prefix, name)!r}", "wippywasm")


class ExportedResource:
    """A resource that a guest exports: call it to construct one; statics and methods are attributes."""

    _constructor: Callable[..., Any] | None = None

    def __init__(self, instance: ExportedInstance, name: str) -> None:
        self._instance = instance
        self._name = name

    def __call__(self, *args: Any, **named: Any) -> Any:
        if self._constructor is None:
            self._constructor = self._function("")
        return self._constructor(*args, **named)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        value = self._function(name)
        setattr(self, name, value)
        return value

    def __instancecheck__(self, value: object) -> bool:
        """Whether it is a resource of this guest's, or an object of the host's class where the host has it."""
        resource = self._instance._guest._known_resource(self._type)
        if resource.impl is None:
            return isinstance(value, resource.host_class)
        return isinstance(value, GuestResource) and value._type is resource

    def __repr__(self) -> str:
        return f"<resource {join(self._instance._prefix, self._name)}>"

    def _function(self, name: str) -> Callable[..., Any]:
        found = self._find(name)
        if found is None:
            what = f"called {name!r}" if name else "to construct it"
            raise NoAttributeError(f"resource {self._name!r} has no function {what}")
        return found

    def _find(self, name: str) -> Callable[..., Any] | None:
        """The function of that Python name, the constructor for the empty one; None where there is none."""
        wit = self._instance._members_of(self._name).get(name)
        return None if wit is None else self._instance._make(wit)

    @property
    def _resource(self) -> RuntimeResource:
        return self._instance._guest._resources()[self._type]

    @property
    def _type(self) -> ResourceType:
        item = self._instance._items[self._name]
        assert isinstance(item, ResourceType)
        return item


def match_instance(name: str, offered: Mapping[str, Item]) -> str | None:
    """The export meant by `name`: its full name, a compatible version, or its last part where that is unambiguous."""
    found = best_match(name, offered)
    if found is not None:
        return found
    base, version = split_version(name)
    short = [o for o in offered if _is_short_form(base, version, o)]
    return short[0] if len(short) == 1 else None


def _is_short_form(base: str, version: str, offered: str) -> bool:
    full, have = split_version(offered)
    return (full == base or full.rpartition("/")[2] == base) and (not version or version == have)
