"""A linked plan made ready for many instances: all that does not depend on the store, found out once.

In: a plan, what it is linked to, its compiled modules. Out: a `Recipe`: what remains to be done for each instance, and
what the functions of all instances share.

The host functions of a plan (`trampolines`) are no steps: they come into being with the module that imports them, and
what they do is made when they are first called. So an instance pays for the functions that its guest calls.

Spec: `Explainer.md` (instantiation).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TypeAlias

from wippywasm import abi
from wippywasm.abi.lift import lifted_of
from wippywasm.abi.source import PYTHON_SIDE, STEPWISE_SIDE, Side
from wippywasm.core import CoreFuncType
from wippywasm.dataclass import dataclass
from wippywasm.engine.assembly import ExportSource, HostSource, Part, Source
from wippywasm.engine.port import Module
from wippywasm.instance.linked import Denied, Linked, LinkedResource
from wippywasm.instance.parking import may_wait
from wippywasm.model import ResourceType
from wippywasm.plan import Plan
from wippywasm.plan.items import CoreExportRef, CoreRef, FuncRef, LiftRef, StaticModule
from wippywasm.plan.steps import (
    CallCoreFunc,
    CanonicalBuiltin,
    DefineResource,
    ImportCoreFunc,
    InstantiateModule,
    LowerFunc,
    ResourceBuiltin,
    Step,
)

Trampoline: TypeAlias = LowerFunc | ResourceBuiltin | CanonicalBuiltin | ImportCoreFunc

RESOURCE_BUILTIN_TYPES = {
    "resource.new": CoreFuncType(("i32",), ("i32",)),
    "resource.drop": CoreFuncType(("i32",)),
    "resource.rep": CoreFuncType(("i32",), ("i32",)),
}


@dataclass(frozen=True, eq=False)
class Code:
    """The compiled modules: the plan's own, and those that the host supplies."""

    modules: tuple[Module, ...]
    host_modules: tuple[Module, ...]


@dataclass(frozen=True, eq=False)
class Assemble:
    """The step that instantiates modules one after the other."""

    parts: tuple[Part, ...]


RecipeStep: TypeAlias = Step | Assemble


class Recipe:
    """What the instances of a linked component have in common.

    `steps` are the plan's without those that make trampolines, which are in `trampolines` by their numbers, and with
    what is instantiated in one go in one; `parts` are the core instances by their numbers. `contexts` are the component
    instances that have context slots.
    """

    def __init__(self, plan: Plan, linked: Linked, code: Code) -> None:
        self.plan = plan
        self.linked = linked
        self.code = code
        self.trampolines: list[Trampoline] = [s for s in plan.steps if isinstance(s, Trampoline)]
        self.host_resources: Mapping[ResourceType, LinkedResource] = {
            wanted.resource: found for wanted, found in zip(plan.host_resources, linked.resources, strict=True)
        }
        self.has_resources = bool(self.host_resources) or any(isinstance(s, DefineResource) for s in plan.steps)
        self.is_composed = any(isinstance(s, LowerFunc) and self._calls_a_guest(s.func) for s in self.trampolines)
        """Whether one guest's calls pass through another guest's frames."""
        self.contexts = {s.instance for s in self.trampolines if isinstance(s, CanonicalBuiltin)}
        self.parts = {s.index: self._part(s) for s in plan.steps if isinstance(s, InstantiateModule)}
        self.steps: tuple[RecipeStep, ...] = tuple(self._steps())
        self._lifts: dict[tuple[int, str, bool], abi.PreparedLift] = {}

    def _steps(self) -> Iterator[RecipeStep]:
        """Modules wait for what comes before the next call into the guest: nothing else needs to see them."""
        parts: list[Part] = []
        for step in self.plan.steps:
            if isinstance(step, InstantiateModule):
                parts.append(self.parts[step.index])
            elif isinstance(step, CallCoreFunc) and parts:
                yield Assemble(tuple(parts))
                parts.clear()
            if not isinstance(step, Trampoline | InstantiateModule):
                yield step
        if parts:
            yield Assemble(tuple(parts))

    @cached_property
    def starts(self) -> bool:
        """Whether instantiation runs code of the guest."""
        modules = [m.info for m in self.plan.modules] + [m.info for m in self.linked.modules]
        calls = any(isinstance(s, CallCoreFunc) for s in self.steps)
        return calls or any(info.start is not None for info in modules)

    def _calls_a_guest(self, func: FuncRef) -> bool:
        return isinstance(func, LiftRef) or lifted_of(self.linked.functions[func.index]) is not None

    def _part(self, step: InstantiateModule) -> Part:
        if isinstance(step.module, StaticModule):
            return Part(self.code.modules[step.module.index], [self._source(ref) for _, _, ref in step.args])
        given = {(m, n): ref for m, n, ref in step.args}
        module = self.code.host_modules[self.plan.host_modules.index(step.module)]
        return Part(module, [self._source(given[i.module, i.name]) for i in module.imports])

    def _source(self, ref: CoreRef) -> Source:
        if isinstance(ref, CoreExportRef):
            return ExportSource(ref.instance, ref.name)
        return self.host_source(ref.index)

    def host_source(self, number: int) -> HostSource:
        """The trampoline of that number, as the engine has to know it."""
        match self.trampolines[number]:
            case LowerFunc(func=func, core_type=type):
                waits = not isinstance(func, LiftRef) and may_wait(self.linked.functions[func.index])
                return HostSource(number, type, self.function_name(func), waits)
            case ResourceBuiltin(operation=operation):
                return HostSource(number, RESOURCE_BUILTIN_TYPES[operation], operation)
            case CanonicalBuiltin(name=name, core_type=type):
                return HostSource(number, type, name)
            case ImportCoreFunc(host=host):
                wanted = self.plan.core_imports[host]
                assert isinstance(wanted.type, CoreFuncType)
                return HostSource(number, wanted.type, wanted.name, not isinstance(self.linked.core[host], Denied))

    def function_name(self, ref: FuncRef) -> str:
        """What messages call a function that a component lowers."""
        if isinstance(ref, LiftRef):
            core = self.plan.lifts[ref.index].core
            return core.name if isinstance(core, CoreExportRef) else "function"
        return "#".join(self.plan.host_functions[ref.index].path)

    def lift(self, index: int, name: str) -> abi.PreparedLift:
        """The plan's lifted function of that number, ready to be bound to any instance."""
        return self._lifts.get((index, name, False)) or self._prepare_lift(index, name, PYTHON_SIDE)

    def stepwise_lift(self, index: int, name: str) -> abi.PreparedLift:
        """The same for calls by a task: coroutine functions that await each call into the guest."""
        return self._prepare_lift(index, name, STEPWISE_SIDE)

    def _prepare_lift(self, index: int, name: str, side: Side) -> abi.PreparedLift:
        made = self._lifts.get((index, name, side.stepwise))
        if made is None:
            lift = self.plan.lifts[index]
            options = abi.Options(lift.options.string_encoding, lift.options.is_async)
            bound = self.linked.bound.exports.get(name)
            made = self._lifts[index, name, side.stepwise] = abi.prepare_lift(lift.type, options, name, side, bound)
        return made
