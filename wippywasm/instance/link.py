"""Finding what a plan imports in what Python supplies.

In: a plan, `imports` by interface name, and what to do about the rest: refuse, or link functions that deny when they
are called. Out: `Linked`. Everything is looked up and checked here, so a call finds no surprises: each function is
there, callable, and takes as many arguments as its type has; another guest's function has the very type.

Spec: SPEC section 7 (deny by default), section 14; `Explainer.md` (semver compatibility).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal, TypeAlias

from wippywasm.abi.lift import lifted_of
from wippywasm.abi.waiting import PLAIN, is_awaitable
from wippywasm.binary.component import ModuleType
from wippywasm.core import CoreFuncType, CoreImport
from wippywasm.engine.port import CoreCallable
from wippywasm.errors import LinkError, WitError, counted
from wippywasm.instance.arity import accepts, signature_text
from wippywasm.instance.exports import ExportedInstance, ExportedResource, what_was_given
from wippywasm.instance.foreign import GuestFunction, Identities, guest_function, same_named_type, same_types
from wippywasm.instance.grants import is_offered
from wippywasm.instance.host_modules import LinkedModule, link_module
from wippywasm.instance.host_resources import check_destructor, class_given, hint_of_hosts, of_guest, of_host
from wippywasm.instance.linked import (
    CoreBinding,
    CoreHost,
    Denied,
    HostClass,
    Linked,
    LinkedResource,
    NotOffered,
)
from wippywasm.instance.names import snake, split_version
from wippywasm.instance.offered import HostInterface, OfferedTypes, offered_types
from wippywasm.instance.providers import (
    MISSING,
    as_provider,
    describe_provider,
    find,
    find_function,
    find_import,
    part_name,
    part_to_give,
)
from wippywasm.instance.suggest import what_to_pass
from wippywasm.model import FuncType, ResourceType, ResultType
from wippywasm.plan import HostFunction, HostResource, HostType, Plan, describe_func, describe_type
from wippywasm.plan.describe import describe_core
from wippywasm.plan.items import HostFuncRef, ImportedModule, LiftRef, PlanInstance, StaticModule, TypeItem
from wippywasm.plan.mangle import resource_function
from wippywasm.plan.substitute import Substitution
from wippywasm.values import Err, Ok

Undeclared: TypeAlias = Literal["refuse", "deny"]
"""What becomes of an import that nothing is given for: an error at once, or one when it is called."""


def link(plan: Plan, imports: Mapping[str, Any], undeclared: Undeclared = "refuse") -> Linked:
    """Find everything the plan imports; raises LinkError naming the first import that is missing or does not fit."""
    return _Linker(plan, imports, undeclared).link()


class _Linker:
    def __init__(self, plan: Plan, imports: Mapping[str, Any], undeclared: Undeclared) -> None:
        self.plan = plan
        self.imports = imports
        self.deny = undeclared == "deny"
        self.own: set[tuple[str, ...]] = set()
        self.origins = {r.resource: r.path for r in plan.host_resources}
        self.identities = Identities()
        self.common: dict[ResourceType, ResourceType] = {}
        """What the plan's resources are among guests, by `identities`."""
        self.types = Substitution(lambda r: self.common.get(r, r))
        self.shipped: dict[ResourceType, ResourceType] = {}
        """What those of shipped interfaces are there, whoever serves them."""
        self.shipped_types = Substitution(lambda r: self.shipped.get(r, r))
        typed = any(isinstance(provider, HostInterface) for provider in imports.values())
        self.offered: Mapping[str, OfferedTypes] = offered_types() if typed else {}

    def link(self) -> Linked:
        for path in self.plan.host_instances:
            self.instance(path)
        resources = tuple(self.resource(r) for r in self.plan.host_resources)
        for named in self.plan.host_types:
            self.type(named)
        functions = tuple(self.function(f) for f in self.plan.host_functions)
        own = frozenset(i for i, f in enumerate(self.plan.host_functions) if f.path in self.own)
        modules = tuple(self.module(m) for m in self.plan.host_modules)
        return Linked(functions, resources, modules, tuple(self.core(c) for c in self.plan.core_imports), own)

    # ---- instances and types, which only guests have of their own accord

    def instance(self, path: tuple[str, ...]) -> None:
        outer = find_import(self.imports, path[:-1]) if len(path) > 1 else None
        if not isinstance(outer, ExportedInstance):
            return
        if not isinstance(outer._items.get(part_name(outer, path[-1])), PlanInstance):
            raise self.lacking(path, "an instance", outer)

    def type(self, wanted: HostType) -> None:
        *where, name = wanted.path
        provider = find_import(self.imports, tuple(where))
        if not isinstance(provider, ExportedInstance):
            if isinstance(wanted.type, ResourceType):
                self.check_class(wanted.path, wanted.type, provider)
            return
        item, need = provider._items.get(name), self.types.type(wanted.type)
        if not isinstance(item, TypeItem | ResourceType):
            raise self.lacking(wanted.path, "a type", provider)
        found = item.type if isinstance(item, TypeItem) else item
        assert not isinstance(found, ModuleType | CoreFuncType | None), "components export no core types"
        have = self.identities.over(provider._guest._resources()).type(found)
        if not same_named_type(have, need):
            it, other = describe_type(need), describe_type(have)
            if it == other:
                other = "another resource" if isinstance(have, ResourceType) else "the same of another resource"
            raise LinkError(
                f"import {_words(wanted.path)} is the type {it}, and {provider!r} has {other} of that name",
                wanted.path[0],
                hint=hint_of_hosts(found, provider._guest._resources()),
            )

    def check_class(self, path: tuple[str, ...], resource: ResourceType, provider: Any) -> None:
        """Refuse a class for a further name of a resource, unless it is the one given where that is introduced."""
        given, origin = class_given(provider, path[-1]), self.origins.get(resource)
        if origin is None or not isinstance(given, type | ExportedResource):
            return
        there = class_given(find_import(self.imports, origin[:-1]), origin[-1])
        found = of_guest(given) if isinstance(given, ExportedResource) else of_host(path[-1], given, provider)
        if given is not there and self.identities.resource(found) is not self.common[resource]:
            other = "no class" if there is MISSING else "another class"
            raise LinkError(
                f"import {_words(path)} is the resource of import {_words(origin)}, for which {other} is given",
                path[0],
                hint=f"give the class for {_words(origin)} only",
            )

    # ---- resources

    def resource(self, wanted: HostResource) -> LinkedResource:
        self.offered_resource(wanted)
        found = self.supplied(wanted)
        self.common[wanted.resource] = self.identities.resource(found)
        if not isinstance(found, HostClass):
            self.shipped.pop(wanted.resource, None)  # our functions can't have those of guests
        return found

    def supplied(self, wanted: HostResource) -> LinkedResource:
        *where, name = path = wanted.path
        provider = find_import(self.imports, tuple(where))
        if provider is MISSING and not self.deny:
            raise self.missing(path, f"resource {name!r}")
        if isinstance(provider, ExportedInstance) and not isinstance(provider._items.get(name), ResourceType):
            raise self.lacking(path, "a resource", provider)
        given = class_given(provider, name)
        if isinstance(given, ExportedResource):
            return of_guest(given)
        check_destructor(given, f"import {_words(path)}", path[0])
        shipped = self.shipped.get(wanted.resource)
        is_ours = isinstance(provider, HostInterface) or (provider is MISSING and shipped and is_offered(path[0]))
        return of_host(name, given, provider, shipped if is_ours else None)

    def offered_resource(self, wanted: HostResource) -> None:
        """Take a resource of a shipped interface for what it is there, whether or not the interface is granted."""
        types = self.offered.get(split_version(wanted.path[0])[0])
        found = types.resources.get(wanted.path[-1]) if types is not None and len(wanted.path) == 2 else None
        if found is not None:
            self.shipped[wanted.resource] = found

    # ---- functions

    def function(self, wanted: HostFunction) -> Callable[..., Any]:
        *where, name = wanted.path
        provider = find_import(self.imports, tuple(where))
        if isinstance(provider, HostInterface):
            return self.offered_function(wanted, provider, name)
        found = provided_function(provider, name)
        if found is MISSING and self.deny and not isinstance(provider, ExportedInstance):
            return Denied(wanted.path[0], "#".join(wanted.path))
        if found is MISSING:
            raise self.missing(wanted.path, describe_func(wanted.type), provider if where else MISSING)
        foreign = guest_function(found)
        if foreign is not None:
            return self.foreign_function(wanted, found, foreign)
        self.check_offered(wanted)
        check_function(wanted, found)
        self.own.add(wanted.path)
        return host_function(found, wanted.type)

    def foreign_function(self, wanted: HostFunction, found: Any, foreign: GuestFunction) -> Callable[..., Any]:
        have, need = self.identities.over(foreign.resources).func(foreign.type), self.types.func(wanted.type)
        if need is not have:
            other, it = describe_func(foreign.type), describe_func(wanted.type)
            raise LinkError(
                f"import {_words(wanted.path)} needs {it}, and the guest's function is {other}"
                + ", with another resource of that name" * (it == other),
                wanted.path[0],
                hint=hint_of_hosts(foreign.type, foreign.resources) if it == other else None,
            )
        if foreign.lifted is None and lifted_of(found) is None:
            return host_function(found, wanted.type)
        return foreign.lifted or found

    def check_offered(self, wanted: HostFunction) -> FuncType | None:
        """The type that a function of a shipped interface has; raises LinkError where the guest declares another.

        Whoever serves it may give out our resources, so the types count there too.
        """
        types = self.offered.get(split_version(wanted.path[0])[0])
        type = types.functions.get(wanted.path[-1]) if types is not None and len(wanted.path) == 2 else None
        if type is not None and not same_types(self.shipped_types.func(wanted.type), type):
            raise LinkError(
                f"import {_words(wanted.path)} is declared as {describe_func(wanted.type)}, "
                f"and the interface has {describe_func(type)}",
                wanted.path[0],
            )
        return type

    def offered_function(self, wanted: HostFunction, provider: HostInterface, name: str) -> Callable[..., Any]:
        if self.check_offered(wanted) is None:
            return NotOffered("#".join(wanted.path))
        found = find_function(provider, name)
        check_function(wanted, found)
        return host_function(found, wanted.type)

    # ---- core modules and functions

    def module(self, wanted: ImportedModule) -> LinkedModule:
        given, (name, *inner) = find_import(self.imports, wanted.path), wanted.path
        if given is not MISSING:
            return link_module(wanted, given)
        provider = find_import(self.imports, wanted.path[:-1])
        if inner and provider is not MISSING:
            raise self.missing(wanted.path, "a core module", provider)
        hint = what_to_pass(name, self.imports, ": a core module's bytes, or a loaded one")
        raise LinkError(f"nothing is given for import {_words(wanted.path)}, which is a core module", name, hint=hint)

    def core(self, wanted: CoreImport) -> CoreCallable | CoreBinding:
        provider = find_import(self.imports, (wanted.module,))
        denied = Denied(wanted.module, f"{wanted.module}#{wanted.name}")
        if provider is not MISSING and isinstance(provider, CoreHost):
            check_core_type(wanted, getattr(provider, "core_types", {}))
            return CoreBinding(provider, wanted.name, denied)
        raw = provider is not MISSING and not isinstance(provider, HostInterface)
        found = find(provider, wanted.name, snake(wanted.name)) if raw else MISSING
        if callable(found):
            return found  # type: ignore[no-any-return]
        if not self.deny:
            raise self.missing((wanted.module, wanted.name), "a core function", provider)
        return denied

    # ---- complaints

    def missing(self, path: tuple[str, ...], what: str, provider: Any = MISSING) -> LinkError:
        """The error for an import that nothing is given for, or for what its provider lacks."""
        lacks = path
        while provider is MISSING and len(lacks) > 2:  # perhaps only an instance within what is given
            lacks = lacks[:-1]
            provider = find_import(self.imports, lacks[:-1])
        if provider is MISSING:
            hint = what_to_pass(path[0], self.imports, ", or undeclared='deny' to refuse it when it is called")
            return LinkError(f"nothing is given for import {_words(path)}: {what}", path[0], hint=hint)
        if isinstance(provider, ExportedInstance):
            return self.lacking(lacks, what, provider)
        lack = f"{describe_provider(provider)} has no {_asked_for(lacks[-1])!r}"
        return LinkError(f"import {_words(path)}: {what} is missing: {lack}", path[0])

    def lacking(self, path: tuple[str, ...], what: str, provider: ExportedInstance) -> LinkError:
        """The error for what a guest does not export, or exports as something else."""
        item = provider._items.get(path[-1])
        found = "nothing" if item is None else _KINDS.get(type(item), "a component")
        return LinkError(
            f"import {_words(path)} needs {what}, and {provider!r} has {found} of the name {path[-1]!r}",
            path[0],
            hint=part_to_give(provider, path[-1]),
        )


_KINDS: dict[type, str] = {
    LiftRef: "a function",
    HostFuncRef: "a function",
    PlanInstance: "an instance",
    TypeItem: "a type",
    ResourceType: "a resource",
    StaticModule: "a core module",
    ImportedModule: "a core module",
}


def mistyped(plan: Plan) -> frozenset[tuple[str, ...]]:
    """The paths of the functions that the plan declares otherwise than the shipped interfaces have them: where those
    are granted, it can't be linked.
    """
    linker = _Linker(plan, {}, "deny")
    linker.offered = offered_types()
    for resource in plan.host_resources:
        linker.offered_resource(resource)
    found = set()
    for function in plan.host_functions:
        try:
            linker.check_offered(function)
        except LinkError:
            found.add(function.path)
    return frozenset(found)


def provided_function(provider: Any, name: str) -> Any:
    """What a provider has for a function; a guest only what it exports under exactly that name."""
    if isinstance(provider, ExportedInstance):
        return provider._make(name) if isinstance(provider._items.get(name), LiftRef | HostFuncRef) else MISSING
    return MISSING if provider is MISSING else find_function(provider, name)


def check_core_type(wanted: CoreImport, types: Mapping[str, CoreFuncType]) -> None:
    """Raise LinkError where a module declares another core type than the function has."""
    have = types.get(wanted.name)
    if have is not None and isinstance(wanted.type, CoreFuncType) and have != wanted.type:
        raise LinkError(
            f"import '{wanted.module}#{wanted.name}' is declared as {describe_core(wanted.type)}, "
            f"and the function is {describe_core(have)}",
            wanted.module,
        )


def check_function(wanted: HostFunction, found: Any) -> None:
    """Raise LinkError where a function can't be called with the arguments that its type has."""
    name, count = _words(wanted.path), len(wanted.type.params)
    if not callable(found):
        given = as_provider(found)
        hint = part_to_give(given, wanted.path[-1]) if isinstance(given, ExportedInstance) else None
        raise LinkError(f"import {name} must be callable, got {what_was_given(given)}", wanted.path[0], hint=hint)
    if not accepts(found, count):
        raise LinkError(
            f"import {name} is called with {counted(count, 'argument')}, as {describe_func(wanted.type)}; "
            f"the function given takes {signature_text(found)}",
            wanted.path[0],
        )


def host_function(function: Callable[..., Any], ft: FuncType) -> Callable[..., Any]:
    """The function as `abi.lower` calls it: for a `result`, what it returns is ok and a WitError it raises is err.

    What it returns may be something to wait for; then that comes out so.
    """
    if not isinstance(ft.result, ResultType):
        return function

    def call(*args: Any) -> Any:
        try:
            value = function(*args)
        except WitError as error:
            return Err(error.payload)
        if value.__class__ in PLAIN or not is_awaitable(value):
            return value if isinstance(value, Ok | Err) else Ok(value)
        return _outcome(value)

    call.__wrapped__ = function  # type: ignore[attr-defined]
    return call


async def _outcome(awaitable: Awaitable[Any]) -> Ok | Err:
    try:
        value = await awaitable
    except WitError as error:
        return Err(error.payload)
    return value if isinstance(value, Ok | Err) else Ok(value)


def _asked_for(name: str) -> str:
    """What a provider is asked for last: the Python name, but that of an interface, which is none of Python's."""
    parts = resource_function(name)
    return snake(parts[2] or parts[1]) if parts else name if ":" in name else snake(name)


def _words(path: tuple[str, ...]) -> str:
    return repr("#".join(path))
