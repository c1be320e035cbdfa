"""The functions that a plan exports, by key, and the ways in which people name them.

In: a plan's exports; a name as written in an entry or a call. Out: keys, or an error with near names.

Spec: SPEC section 3 (`method`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TypeAlias

from wippywasm.errors import InvalidError, NotFoundError
from wippywasm.instance.exports import join
from wippywasm.instance.names import compatible, snake, split_version
from wippywasm.instance.suggest import did_you_mean
from wippywasm.model import ResourceType
from wippywasm.plan import Plan
from wippywasm.plan.items import HostFuncRef, Item, LiftRef, PlanInstance
from wippywasm.plan.mangle import resource_function

FunctionItem: TypeAlias = LiftRef | HostFuncRef


def exported_functions(plan: Plan) -> dict[str, FunctionItem]:
    """Every exported function by key: `name`, or `ns:pkg/iface@1.0.0#name` within an instance."""
    return dict(_walk(plan.exports, ""))


def _walk(items: Mapping[str, Item], prefix: str) -> Iterator[tuple[str, FunctionItem]]:
    for name, item in items.items():
        key = join(prefix, name)
        if isinstance(item, LiftRef | HostFuncRef):
            yield key, item
        elif isinstance(item, PlanInstance):
            yield from _walk(item.exports, key)


def exported_methods(plan: Plan) -> list[tuple[ResourceType, str, FunctionItem, str]]:
    """(resource, Python name, function, key) of every method of an exported resource."""
    found: list[tuple[ResourceType, str, FunctionItem, str]] = []
    pending: list[tuple[str, Mapping[str, Item]]] = [("", plan.exports)]
    while pending:
        prefix, items = pending.pop()
        for name, item in items.items():
            if isinstance(item, PlanInstance):
                pending.append((join(prefix, name), item.exports))
            parts = resource_function(name)
            resource = items.get(parts[1]) if parts and parts[0] == "method" else None
            if parts and isinstance(resource, ResourceType) and isinstance(item, LiftRef | HostFuncRef):
                found.append((resource, snake(parts[2]), item, join(prefix, name)))
    return found


def find_key(method: str, keys: Mapping[str, object], uncallable: Mapping[str, str] = MappingProxyType({})) -> str:
    """The key that `method` means: itself, or one whose interface it names in short.

    The version may be left out or be a compatible one, and so may the package: `iface#name`; an interface that is there
    under the very name that is given stands for no other. Raises NotFoundError, with near names, for none and for
    several; `uncallable` has the reasons why other exports can't be called.
    """
    if not isinstance(method, str):
        raise InvalidError(f"a function is called by its name, not by {method!r}")
    if method in keys:
        return method
    interfaces = {key.rpartition("#")[0] for key in keys}
    found = [key for key in keys if _means(method, key)] if method.rpartition("#")[0] not in interfaces else []
    version = _version(method)
    exact = [key for key in found if version and _version(key) == version]
    if len(found) == 1 or len(exact) == 1:
        return (exact or found)[0]
    if found:
        raise NotFoundError(f"{method!r} could be any of {', '.join(map(repr, found))}", hint="write the full name")
    if method in uncallable:
        raise NotFoundError(f"the export {method!r} can't be called: {uncallable[method]}")
    hint = did_you_mean(method, [*keys, *(_short(key) for key in keys)]).removeprefix(", ") or None
    if hint is None:
        hint = f"it exports {', '.join(list(keys)[:8])}{' …' * (len(keys) > 8)}" if keys else "it exports no functions"
    raise NotFoundError(f"there is no exported function {method!r}", hint=hint)


def _means(method: str, key: str) -> bool:
    wanted, _, name = method.rpartition("#")
    full, _, have = key.rpartition("#")
    if name != have or not wanted:
        return False
    base, version = split_version(wanted)
    full_base, full_version = split_version(full)
    if base != full_base and base != full_base.rpartition("/")[2]:
        return False
    return not version or compatible(version, full_version)


def _version(key: str) -> str:
    return split_version(key.rpartition("#")[0])[1]


def _short(key: str) -> str:
    interface, _, name = key.rpartition("#")
    return join(split_version(interface)[0].rpartition("/")[2], name)
