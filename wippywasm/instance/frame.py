"""One instantiation: a plan's steps, done in a store.

In: a plan with its compiled modules, what the linker found, a store. Out: a `Frame` that holds what the steps made, and
turns the plan's lifted functions into callables when they are asked for.

Imported functions are lowered when they are first called. That makes instances cheap, and a module with WIT signatures
possible: what it imports needs its own memory, which exists only when the module has been instantiated.

Spec: `Explainer.md` (instantiation), `CanonicalABI.md` (canonical definitions).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from wippywasm import abi
from wippywasm.abi.options import Batch, Binding, Options
from wippywasm.abi.state import ComponentInstance, HostObjects, RuntimeResource
from wippywasm.core import CoreFuncType
from wippywasm.engine.batch import batched_realloc
from wippywasm.engine.port import CoreCallable, CoreFunc, CoreInstance, CoreItem, CoreMemory, Module, Store
from wippywasm.errors import Trap
from wippywasm.instance.builtins import Context, make_builtin
from wippywasm.instance.linked import CoreBinding, CoreContext, CoreHost, Denied, HostClass, Linked
from wippywasm.instance.waiting import core_waiting
from wippywasm.model import ResourceType
from wippywasm.plan import Plan, mangle
from wippywasm.plan.items import CoreExportRef, CoreRef, FuncRef, LiftRef, StaticModule
from wippywasm.plan.steps import (
    CallCoreFunc,
    CanonicalBuiltin,
    DefineResource,
    ImportCoreFunc,
    InstantiateModule,
    LowerFunc,
    NewComponentInstance,
    PlanOptions,
    ResourceBuiltin,
)


@dataclass(frozen=True, eq=False)
class Code:
    """The compiled modules: the plan's own, and those that the host supplies."""

    modules: tuple[Module, ...]
    host_modules: tuple[Module, ...]


class Frame:
    """What one instantiation has made so far, by the numbers that the plan gave out."""

    def __init__(self, plan: Plan, code: Code, linked: Linked, store: Store, owner: int | None) -> None:
        self.plan = plan
        self.code = code
        self.linked = linked
        self.store = store
        self.owner = owner
        self.components: list[ComponentInstance] = []
        self.cores: list[CoreInstance] = []
        self.trampolines: list[CoreFunc] = []
        self.resources: dict[ResourceType, RuntimeResource] = {}
        self.host_resources: list[tuple[RuntimeResource, HostClass]] = []
        self._bindings: dict[tuple[int, int], Binding] = {}
        self._batches: dict[CoreRef, Batch] = {}
        self._contexts: dict[int, Context] = {}
        self._core_hosts: dict[int, Mapping[str, CoreCallable]] = {}
        self._ends: list[Callable[[], None]] = []

    def run(self) -> None:
        """Do all steps; raises LinkError, Trap, or whatever a host function raised."""
        for wanted, linked in zip(self.plan.host_resources, self.linked.resources):
            self.resources[wanted.resource] = self._host_resource(linked)
        for step in self.plan.steps:
            _STEPS[step.__class__](self, step)

    def _host_resource(self, linked: HostClass | RuntimeResource) -> RuntimeResource:
        if isinstance(linked, RuntimeResource):
            return linked
        resource = RuntimeResource(None, linked.dtor, linked.name)
        resource.objects = HostObjects()
        self.host_resources.append((resource, linked))
        return resource

    def drop_host_objects(self) -> None:
        """Call the destructors of the Python objects that the guest still owns, oldest first."""
        for resource, linked in self.host_resources:
            held, resource.objects = resource.objects or (), HostObjects()
            for entry in held:
                (linked.end or linked.dtor)(entry.value)
        while self._ends:
            self._ends.pop()()

    def abandon(self) -> None:
        """Free everything after a step failed."""
        try:
            self.drop_host_objects()
        finally:
            self.store.close()

    # ---- steps

    def component_instance(self, step: NewComponentInstance) -> None:
        parent = None if step.parent is None else self.components[step.parent]
        self.components.append(ComponentInstance(parent, owner=self.owner))

    def instantiate_module(self, step: InstantiateModule) -> None:
        if isinstance(step.module, StaticModule):
            module, args = self.code.modules[step.module.index], [self.core(ref) for _, _, ref in step.args]
        else:
            given = {(m, n): ref for m, n, ref in step.args}
            module = self.code.host_modules[self.plan.host_modules.index(step.module)]
            args = [self.core(given[i.module, i.name]) for i in module.imports]
        self.cores.append(self.store.instantiate(module, args))

    def define_resource(self, step: DefineResource) -> None:
        ref = step.dtor
        dtor = None if ref is None else lambda rep: self._func(ref).call(rep)
        self.resources[step.resource] = RuntimeResource(self.components[step.instance], dtor, step.resource.name)

    def lower_func(self, step: LowerFunc) -> None:
        denied = None if isinstance(step.func, LiftRef) else self.linked.functions[step.func.index]
        call = denied if isinstance(denied, Denied) else self._lowered_later(step)
        self._trampoline(step.core_type, call, self._name(step.func))

    def resource_builtin(self, step: ResourceBuiltin) -> None:
        make, type = _RESOURCE_BUILTINS[step.operation]
        call = make(self.resources[step.resource], self.components[step.instance])
        self._trampoline(type, call, step.operation)

    def canonical_builtin(self, step: CanonicalBuiltin) -> None:
        context = self._contexts.setdefault(step.instance, Context())
        call = make_builtin(step, self.components[step.instance], context)
        self._trampoline(step.core_type, call, step.name)

    def import_core_func(self, step: ImportCoreFunc) -> None:
        wanted, call = self.plan.core_imports[step.host], self.linked.core[step.host]
        if isinstance(call, CoreBinding):
            call = core_waiting(self._core_functions(call.host).get(call.name, call.otherwise))
        assert isinstance(wanted.type, CoreFuncType)
        self._trampoline(wanted.type, call, wanted.name)

    def _core_functions(self, host: CoreHost) -> Mapping[str, CoreCallable]:
        made = self._core_hosts.get(id(host))
        if made is None:
            memory = CoreExportRef(0, mangle.MEMORY)
            context = CoreContext(lambda: self._memory(memory), self._ends.append)
            made = self._core_hosts[id(host)] = host.link_core(context)
        return made

    def call_core_func(self, step: CallCoreFunc) -> None:
        self._func(step.core).call()

    # ---- functions

    def lifted(self, index: int, caller: int | None, name: str) -> Callable[..., Any]:
        """The plan's lifted function of that number as a Python callable; a top-level `result` comes as Ok or Err."""
        lift = self.plan.lifts[index]
        options = Options(lift.options.string_encoding, lift.options.is_async)
        binding = self.binding(lift.instance, lift.options)
        outer = None if caller is None else self.components[caller]
        core = self._func(lift.core)
        if lift.instance in self._contexts:
            core = self._contexts[lift.instance].entered(core)
        return abi.lift(lift.type, core, options, binding, caller=outer, name=name)

    def _lowered(self, step: LowerFunc) -> Callable[..., Any]:
        name = self._name(step.func)
        if isinstance(step.func, LiftRef):
            function = self.lifted(step.func.index, step.instance, name)
        else:
            function = self.linked.functions[step.func.index]
        options = Options(step.options.string_encoding, step.options.is_async)
        binding = self.binding(step.instance, step.options)
        return abi.lower(step.type, function, options, binding, name=name)[1]

    def _lowered_later(self, step: LowerFunc) -> Callable[..., Any]:
        """The function, lowered when it is first called: most imports of most guests never are.

        What can't run yet is an error of the call as well.
        """
        lowered: Callable[..., Any] | None = None

        def call(*args: Any) -> Any:
            nonlocal lowered
            if lowered is None:
                lowered = self._lowered(step)
            return lowered(*args)

        return call

    def _name(self, ref: FuncRef) -> str:
        if isinstance(ref, LiftRef):
            core = self.plan.lifts[ref.index].core
            return core.name if isinstance(core, CoreExportRef) else "function"
        return "#".join(self.plan.host_functions[ref.index].path)

    def _trampoline(self, type: CoreFuncType, call: Callable[..., Any], name: str) -> None:
        self.trampolines.append(self.store.host_func(type, call, name))

    # ---- references

    def binding(self, instance: int, options: PlanOptions) -> Binding:
        """What lifting and lowering with these options needs of this instantiation."""
        key = (instance, id(options))
        made = self._bindings.get(key)
        if made is None:
            made = self._bindings[key] = Binding(
                self.components[instance],
                None if options.memory is None else self._memory(options.memory),
                None if options.realloc is None else self._realloc(options.realloc, instance),
                None if options.post_return is None else self._func(options.post_return),
                self.resources,
                self._batch(options.realloc, instance),
            )
        return made

    def _realloc(self, ref: CoreRef, instance: int) -> CoreFunc:
        core = self._func(ref)
        return self._contexts[instance].nested(core) if instance in self._contexts else core

    def _batch(self, realloc: CoreRef | None, instance: int) -> Batch | None:
        # With context slots, each allocation is a call of its own.
        if realloc is None or instance in self._contexts:
            return None
        made = self._batches.get(realloc)
        if made is None:
            made = self._batches[realloc] = batched_realloc(self.store, self._func(realloc))
        return made

    def core(self, ref: CoreRef) -> CoreItem:
        """The core item that a reference names; traps where it does not exist yet."""
        if not isinstance(ref, CoreExportRef):
            return self.trampolines[ref.index]
        if ref.instance >= len(self.cores):
            raise Trap(
                "a function that needs the module's memory was called while the module was being instantiated",
                code="not instantiated",
            )
        return self.cores[ref.instance].export(ref.name)

    # The validator, or the planner, knows what these references name.

    def _func(self, ref: CoreRef) -> CoreFunc:
        item: Any = self.core(ref)
        return item  # type: ignore[no-any-return]

    def _memory(self, ref: CoreRef) -> CoreMemory:
        item: Any = self.core(ref)
        return item  # type: ignore[no-any-return]


_RESOURCE_BUILTINS: dict[str, tuple[Callable[[RuntimeResource, ComponentInstance], Any], CoreFuncType]] = {
    "resource.new": (abi.resource_new, CoreFuncType(("i32",), ("i32",))),
    "resource.drop": (abi.resource_drop, CoreFuncType(("i32",))),
    "resource.rep": (abi.resource_rep, CoreFuncType(("i32",), ("i32",))),
}

_STEPS: dict[type, Callable[[Frame, Any], None]] = {
    NewComponentInstance: Frame.component_instance,
    InstantiateModule: Frame.instantiate_module,
    DefineResource: Frame.define_resource,
    LowerFunc: Frame.lower_func,
    ResourceBuiltin: Frame.resource_builtin,
    CanonicalBuiltin: Frame.canonical_builtin,
    ImportCoreFunc: Frame.import_core_func,
    CallCoreFunc: Frame.call_core_func,
}
