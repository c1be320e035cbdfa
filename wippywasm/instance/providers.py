"""Looking things up in what Python supplies for an import: a mapping, an object, a module, or another guest's exports.

In: a provider and a WIT name. Out: the Python thing behind it, or `MISSING`.

Mappings are asked for the WIT name first, then for the Python one; everything else has attributes, with Python names.

Spec: SPEC section 14; names as in `names`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from wippywasm.instance.exports import ExportedInstance, ExportedResource
from wippywasm.instance.guest import Guest
from wippywasm.instance.names import best_match, pascal, snake
from wippywasm.instance.offered import HostInterface
from wippywasm.plan.items import HostFuncRef, LiftRef, PlanInstance, TypeItem
from wippywasm.plan.mangle import resource_function

MISSING: Any = object()
"""Stands for what a provider does not have; `None` is a value."""


def find(provider: Any, *names: str) -> Any:
    """The first of `names` that the provider has."""
    if isinstance(provider, Mapping):
        return next((provider[name] for name in names if name in provider), MISSING)
    for name in names:
        found = getattr(provider, name, MISSING)
        if found is not MISSING:
            return found
    return MISSING


def find_import(imports: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """What was given for the instance at `path`; the empty path is `imports` itself."""
    if not path:
        return imports
    matched = best_match(path[0], imports)
    provider = as_provider(find(imports, snake(path[0])) if matched is None else imports[matched])
    if isinstance(provider, HostInterface) and (len(path) > 1 or not provider.serves(path[0])):
        return MISSING
    for name in path[1:]:
        if provider is MISSING:
            return MISSING
        provider = as_provider(_part(provider, name))
    return provider


def as_provider(given: Any) -> Any:
    """What was given, or the exports of the guest that was."""
    return given.exports if isinstance(given, Guest) else given


def _part(provider: Any, name: str) -> Any:
    """What a provider has for an instance within the one that it serves; versions may be compatible ones there, too."""
    if not isinstance(provider, ExportedInstance):
        matched = best_match(name, _names(provider)) if isinstance(provider, Mapping) else None
        return find(provider, matched or name, snake(name))
    served = part_name(provider, name)
    return MISSING if isinstance(provider._items.get(served), TypeItem | None) else provider._make(served)


def _names(provider: Mapping[Any, Any]) -> Iterator[str]:
    """Those keys of what a user gave that are names."""
    return (name for name in provider if isinstance(name, str))


def part_name(exports: ExportedInstance, name: str) -> str:
    """The name of the export that stands for an instance of that name, itself where there is none."""
    return best_match(name, exports._items) or name


def find_function(provider: Any, name: str) -> Any:
    """The callable behind a WIT function name, resource functions included."""
    parts = resource_function(name)
    if parts is None:
        return find(provider, name, snake(name))
    direct = find(provider, name)
    return direct if direct is not MISSING else _resource_function(provider, *parts)


def _resource_function(provider: Any, kind: str, resource: str, function: str) -> Any:
    cls = find_resource(provider, resource)
    attribute = snake(function)
    if isinstance(cls, ExportedResource):
        return cls._find(attribute if function else "") or MISSING
    if kind == "constructor":
        return cls
    found = MISSING if cls is MISSING else getattr(cls, attribute, MISSING)
    is_factory = found is MISSING and not isinstance(cls, type)  # only the objects that it gives have the methods
    if kind == "static" or (cls is not MISSING and not callable(found) and not is_factory):
        return found
    return method_caller(attribute, found)


def find_resource(provider: Any, name: str) -> Any:
    """The Python class of a resource, or a factory that makes its objects."""
    return find(provider, name, pascal(name), snake(name))


def method_caller(attribute: str, function: Any) -> Callable[..., Any]:
    """Calls the method of whatever object it is given, so that subclasses override as usual.

    `function` is the class's own, where the class is known: its signature is what counts at link time.
    """

    def call(self: Any, *args: Any) -> Any:
        return getattr(self, attribute)(*args)

    if function is not MISSING:
        call.__wrapped__ = function  # type: ignore[attr-defined]
    return call


def part_to_give(exports: ExportedInstance, name: str) -> str | None:
    """A hint for who gave the exports of a guest for an import, and meant the part of them that has what is wanted."""
    given = f"guest.exports{''.join(f'[{part!r}]' for part in exports._prefix.split('#') if part)}"
    if isinstance(exports._items.get(name), LiftRef | HostFuncRef):
        return f"give {given}.{snake(name)}"
    inner = next((n for n, i in exports._items.items() if isinstance(i, PlanInstance) and name in i.exports), None)
    return None if inner is None else f"give {given}[{inner!r}], which has {name!r}"


def describe_provider(provider: Any) -> str:
    """What a provider is, for messages."""
    if isinstance(provider, Mapping):
        return "the mapping given"
    if isinstance(provider, ExportedInstance):
        return repr(provider)
    return f"{getattr(provider, '__name__', None) or type(provider).__name__}"
