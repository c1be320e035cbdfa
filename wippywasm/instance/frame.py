"""One instantiation: a plan's steps, done in a store.

In: a recipe (a linked plan with its compiled modules), a store. Out: a `Frame` that holds what the steps made, and
turns the plan's lifted functions into callables when they are asked for.

Imported functions are lowered when they are first called. That makes instances cheap, and a module with WIT signatures
possible: what it imports needs its own memory, which exists only when the module has been instantiated.

Spec: `Explainer.md` (instantiation), `CanonicalABI.md` (canonical definitions).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from wippywasm import abi
from wippywasm.abi.destroying import defer_foreign, drop_foreign
from wippywasm.abi.lift import lifted_of
from wippywasm.abi.options import Batch, Binding, Options
from wippywasm.abi.source import PYTHON_SIDE, STEPWISE_SIDE, Side
from wippywasm.abi.state import ComponentInstance, HostObjects, RuntimeResource, Table, condemn
from wippywasm.engine.assembly import assemble, late
from wippywasm.engine.batch import Page, batched_realloc
from wippywasm.engine.port import CoreCallable, CoreFunc, CoreInstance, CoreMemory, Store, TimedStore
from wippywasm.engine.spans import bounded
from wippywasm.errors import Trap
from wippywasm.instance.budget import OF_A_CALL, OF_A_START, in_calls, in_tasks
from wippywasm.instance.builtins import Context, make_builtin
from wippywasm.instance.core_results import core_results
from wippywasm.instance.foreign_calls import Destructor, within_time_of
from wippywasm.instance.linked import CoreBinding, CoreContext, CoreHost, Denied, HostClass, LinkedResource
from wippywasm.instance.parking import Parking, StepwiseBinding
from wippywasm.instance.recipe import Assemble, Recipe
from wippywasm.instance.reexported import HostExport, reexported, stepwise_reexported
from wippywasm.model import ResourceType
from wippywasm.plan import mangle
from wippywasm.plan.items import CoreExportRef, CoreRef, HostFuncRef, LiftRef
from wippywasm.plan.steps import (
    CallCoreFunc,
    CanonicalBuiltin,
    DefineResource,
    ImportCoreFunc,
    LowerFunc,
    NewComponentInstance,
    PlanOptions,
    ResourceBuiltin,
)

if TYPE_CHECKING:
    from wippywasm.instance.guest_thread import GuestThread


class Resources(dict[ResourceType, RuntimeResource]):
    """The resource types of one instantiation; those of the host are made when something first asks for them.

    `host` has them, with what they are linked to.
    """

    __slots__ = ("_linked", "host")

    def __init__(self, linked: Mapping[ResourceType, LinkedResource]) -> None:
        self._linked = linked
        self.host: dict[HostClass, RuntimeResource] = {}

    def __missing__(self, type: ResourceType) -> RuntimeResource:
        linked = self._linked[type]
        resource = self[type] = linked if isinstance(linked, RuntimeResource) else self._of_host(linked)
        return resource

    def _of_host(self, linked: HostClass) -> RuntimeResource:
        resource = self.host.get(linked)
        if resource is None:
            resource = self.host[linked] = RuntimeResource(None, linked.dtor, linked.name, linked.cls)
            resource.linked = linked
        return resource


_NO_RESOURCES = Resources({})
"""Those of all instantiations that can't have any."""


class Frame:
    """What one instantiation has made so far, by the numbers that the plan gave out."""

    _page: Page | None = None
    _parking: Parking | None = None
    timed_store: TimedStore | None = None
    """Its store, where guests in that can be ended while they run."""
    _clock: Callable[[], None] | None = None
    budget_ms: int | None = None
    thread: GuestThread | None = None
    """The thread that calls by tasks run in, where they need one."""
    _is_freed = False
    """Whether that thread has."""
    closing = False
    """Whether somebody closes its guest right now. Ctrl-C may end that before all is done; it can be done again."""
    callee: Frame | None = None
    """The frame of another guest that runs for this one, where time is kept."""

    def __init__(self, recipe: Recipe, store: Any, owner: int | None, budget_ms: int | None = None) -> None:
        self.recipe = recipe
        self.plan = recipe.plan
        self.linked = recipe.linked
        self.store: Store = store
        self.owner = owner
        self.components: list[ComponentInstance] = []
        self.cores: list[CoreInstance] = []
        self.trampolines: dict[int, CoreFunc] = {}
        self.resources = Resources(recipe.host_resources) if recipe.has_resources else _NO_RESOURCES
        self._batches: dict[CoreRef, Batch] = {}
        self._core_hosts: dict[int, Mapping[str, CoreCallable]] = {}
        self._ends: list[Callable[[], None]] = []
        self._contexts = {instance: Context() for instance in recipe.contexts} if recipe.contexts else {}
        if hasattr(store, "nudge"):
            self.timed_store = store
            self._clock = store.check_clock
            self.budget_ms = budget_ms

    def interrupt(self, error: BaseException) -> None:
        """Let no other call enter its guest, since the one that is in it has ended with `error`; and have who runs look
        at that, which may be a guest that this one calls. From any thread."""
        for instance in self.components:
            condemn(instance, error)
        frame: Frame | None = self
        while frame is not None:
            if frame.timed_store is not None:
                frame.timed_store.nudge()
            frame = frame.callee

    @property
    def parking(self) -> Parking:
        """Where its host functions wait."""
        if self._parking is None:
            self._parking = Parking(self.store, self.timed_store)
        return self._parking

    @property
    def is_apart(self) -> bool:
        """Whether its guest is in a thread of its own, which does what others want of it in order."""
        return self.components[0].send is not None

    def run(self) -> None:
        """Do all steps; raises LinkError, Trap, TimedOutError, or whatever a host function raised."""
        run = self._run if self.budget_ms is None else self.limited(self._run, OF_A_START)
        run()

    def limited(self, function: Callable[..., Any], message: str = OF_A_CALL) -> Callable[..., Any]:
        """The function, which runs the guest, within the budget of a call; `message` says that it is spent."""
        if self.budget_ms is None or self.timed_store is None:
            return function
        return in_calls(function, self.timed_store, self.budget_ms, message)

    def limited_in_tasks(self, function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        """The same for a function that runs the guest for a task."""
        if self.budget_ms is None or self.timed_store is None:
            return function
        return in_tasks(function, self.budget_ms)

    def _run(self) -> None:
        for step in self.recipe.steps:
            _STEPS[step.__class__](self, step)

    def drop_others(self) -> None:
        """Call the destructors of what the guest still owns of others: Python objects, resources of other guests.

        All are called, in the order of their tables; what the first raises is raised in the end, or else Ctrl-C, after
        which the next call goes on with those that have not begun: they stay in their tables until all have.
        """
        if not self._holds_others():
            return
        raised: BaseException | None = None
        may_forget = True
        for end in self._all_ends():
            try:
                end()
            except BaseException as error:  # noqa: BLE001  (the others are to end as well)
                is_signal = not isinstance(error, Exception)
                raised = error if raised is None or (is_signal and may_forget) else raised
                may_forget = may_forget and not is_signal
        if may_forget:
            self._forget_others()
        if raised is not None:
            raise raised

    def _holds_others(self) -> bool:
        """Whether it may have anything of others: resources come by handles, or had some."""
        if self._ends or self.resources.host:
            return True
        return self.recipe.has_resources and any(i.handles.array[1:] for i in self.components)

    def _all_ends(self) -> Iterator[Callable[[], object]]:
        for linked, resource in self.resources.host.items():
            yield from [partial(linked.end or linked.dtor, held) for held in resource.objects or () if held.own]
        for component in self.components:
            yield from drop_foreign(component, self.components)
        for _ in self._ends[:]:
            yield self._end_last

    def _forget_others(self) -> None:
        for resource in self.resources.host.values():
            resource.objects = HostObjects()
        for component in self.components:
            component.handles = Table()

    def _end_last(self) -> None:
        ends = self._ends
        if ends:
            end = ends[-1]
            # Nothing may come between these: see `abi.entry`.
            del ends[-1]
            end()

    def close(self) -> None:
        """Free everything: now, or once the thread in which the guest is ending has ended it. May be called again."""
        if self.thread is None:
            self._free()
        else:
            self.thread.post(self._free_and_leave, self.thread)

    def __del__(self) -> None:
        if self.recipe.has_resources:
            for component in self.components:
                defer_foreign(component)

    def _free_and_leave(self, thread: GuestThread) -> None:
        """`_free` in a thread, which is given back."""
        if not self._is_freed:
            self._is_freed = True
            try:
                self._free()
            finally:
                thread.keep()

    def _free(self) -> None:
        try:
            self.drop_others()
        finally:
            self.store.close()
            for resource in self.resources.values():
                if resource.impl in self.components:
                    resource.dtor = None  # it leads back here, and there is nothing left to destroy

    # ---- steps

    def component_instance(self, step: NewComponentInstance) -> None:
        parent = None if step.parent is None else self.components[step.parent]
        self.components.append(ComponentInstance(parent, owner=self.owner, clock=self._clock))

    def assemble(self, step: Assemble) -> None:
        assemble(self.store, step.parts, self.cores, self.host_function)

    def define_resource(self, step: DefineResource) -> None:
        ref = step.dtor
        dtor = None if ref is None else Destructor(self, ref, step.instance)
        resource = RuntimeResource(self.components[step.instance], dtor, step.resource.name)
        resource.cls = self.linked.bound.resources.get(step.resource)
        self.resources[step.resource] = resource

    def call_core_func(self, step: CallCoreFunc) -> None:
        self.core(step.core).call()

    # ---- host functions, made when the guest first calls them

    def host_function(self, number: int) -> CoreCallable:
        """What a trampoline does. What can't run yet is an error of the call as well."""
        step = self.recipe.trampolines[number]
        return _HOST_FUNCTIONS[step.__class__](self, step)

    def lower_func(self, step: LowerFunc) -> CoreCallable:
        denied = None if isinstance(step.func, LiftRef) else self.linked.functions[step.func.index]
        return denied if isinstance(denied, Denied) else self._lowered(step)

    def resource_builtin(self, step: ResourceBuiltin) -> CoreCallable:
        resource = self.resources[step.resource]
        builtin: CoreCallable = _RESOURCE_BUILTINS[step.operation](resource, self.components[step.instance])
        foreign = resource.dtor if step.operation == "resource.drop" else None
        return within_time_of(self, foreign.frame, builtin) if isinstance(foreign, Destructor) else builtin

    def canonical_builtin(self, step: CanonicalBuiltin) -> CoreCallable:
        return make_builtin(step, self.components[step.instance], self._contexts[step.instance])

    def import_core_func(self, step: ImportCoreFunc) -> CoreCallable:
        call = self.linked.core[step.host]
        if isinstance(call, CoreBinding):
            return self.parking.core(self._core_functions(call.host).get(call.name, call.otherwise))
        return self.parking.core(call, core_results(self.plan.core_imports[step.host]))

    def _core_functions(self, host: CoreHost) -> Mapping[str, CoreCallable]:
        made = self._core_hosts.get(id(host))
        if made is None:
            memory = CoreExportRef(0, mangle.MEMORY)
            context = CoreContext(lambda: self.core(memory), self._ends.append)
            made = self._core_hosts[id(host)] = host.link_core(context)
        return made

    # ---- functions

    def lifted(self, index: int, name: str) -> Callable[..., Any]:
        """The plan's lifted function of that number as Python calls it: returns ok or raises WitError."""
        core, binding = self._lift_parts(index)
        return self.recipe.lift(index, name).bind(core, binding)

    def lifted_for(self, caller: ComponentInstance | None, index: int, name: str, side: Side) -> Callable[..., Any]:
        """The same for calls from there, an instance of another guest, within the time of which they are."""
        function = self._lifted(index, name).bind(caller, name, side)
        if self.budget_ms is None and self.timed_store is not None:
            return partial(bounded, self.timed_store, function)
        return self.limited(function)

    def _lifted(self, index: int, name: str) -> abi.Lifted:
        return self.recipe.lift(index, name).lifted(*self._lift_parts(index))

    def _lift_parts(self, index: int) -> tuple[CoreFunc, Binding]:
        lift = self.plan.lifts[index]
        core = self.core(lift.core)
        if self._contexts and lift.instance in self._contexts:
            context = self._contexts[lift.instance]
            core = context.nested(core) if lift.options.post_return is None else context.starting(core)
        return core, LateBinding(self, lift.instance, lift.options)

    def reexported(self, index: int, name: str) -> Callable[..., Any]:
        """The host function of that number as Python calls it, which exports it."""
        return reexported(self._host_export(index, name, PYTHON_SIDE), self.components[0], self.parking)

    def stepwise_reexported(self, index: int, name: str) -> Callable[..., Awaitable[Any]]:
        """The same for calls by a task."""
        return stepwise_reexported(self._host_export(index, name, STEPWISE_SIDE))

    def _host_export(self, index: int, name: str, side: Side) -> HostExport:
        bound, type = self.linked.bound, self.plan.host_functions[index].type
        lifted = abi.prepare_lift(type, Options(), name, side, bound.exports.get(name))
        taken = bound.imports.get(index, type)
        return HostExport(
            lifted, taken, self.recipe.function_name(HostFuncRef(index)), self.linked.functions[index], self.resources
        )

    def stepwise(self, index: int, name: str) -> Callable[..., Awaitable[Any]]:
        """`lifted` for calls by a task, on a store with fibers."""
        lift = self.plan.lifts[index]
        store = self.parking.fiber_store
        assert store is not None
        binding = StepwiseBinding(self.binding(lift.instance, lift.options), store)
        core: Any = store.fibers.stepwise(self.core(lift.core))
        return self.recipe.stepwise_lift(index, name).code(core, binding, None)

    def _lowered(self, step: LowerFunc) -> Callable[..., Any]:
        name, type = self.recipe.function_name(step.func), step.type
        function: Callable[..., Any] | abi.Lifted
        if isinstance(step.func, LiftRef):
            function = self._lifted(step.func.index, name)
        else:
            function = self.linked.functions[step.func.index]
            type = self.linked.bound.imports.get(step.func.index, type)
        options = Options(step.options.string_encoding, step.options.is_async)
        binding = self.binding(step.instance, step.options)
        _, core = abi.lower(type, function, options, binding, name=name, park=self.parking)
        lifted = function if isinstance(function, abi.Lifted) else lifted_of(function)
        foreign = lifted.binding if lifted is not None else None
        return within_time_of(self, foreign._frame, core) if isinstance(foreign, LateBinding) else core

    # ---- references

    def binding(self, instance: int, options: PlanOptions) -> Binding:
        """What lifting and lowering with these options needs of this instantiation."""
        return LateBinding(self, instance, options)  # not kept: it would keep this frame until it is collected

    def nested(self, ref: CoreRef, instance: int) -> CoreFunc:
        """A core function of that instance for calls of their own."""
        core = self.core(ref)
        return self._contexts[instance].nested(core) if instance in self._contexts else core

    def post_return(self, ref: CoreRef, instance: int) -> CoreFunc:
        """What ends a call of that instance."""
        core = self.core(ref)
        return self._contexts[instance].ending(core) if instance in self._contexts else core

    def batch(self, realloc: CoreRef | None, instance: int) -> Batch | None:
        # With context slots, each allocation is a call of its own.
        if realloc is None or instance in self._contexts:
            return None
        made = self._batches.get(realloc)
        if made is None:
            page = self._page = self._page or Page(self.store)
            made = self._batches[realloc] = batched_realloc(page, self.core(realloc))
        return made

    def core(self, ref: CoreRef) -> Any:
        """The core item that a reference names, of a kind that the validator or the planner knows.

        Traps where it does not exist yet.
        """
        if not isinstance(ref, CoreExportRef):
            return self._trampoline(ref.index)
        if ref.instance >= len(self.cores):
            raise Trap(
                "a function that needs the module's memory was called while the module was being instantiated",
                code="not instantiated",
            )
        return self.cores[ref.instance].export(ref.name)

    def _trampoline(self, number: int) -> CoreFunc:
        made = self.trampolines.get(number)
        if made is None:
            source = self.recipe.host_source(number)
            call = late(self.host_function, number)
            fiber_store = self.parking.fiber_store if source.waits else None
            make = self.store.host_func if fiber_store is None else fiber_store.waiting_func
            made = self.trampolines[number] = make(source.type, call, source.name)
        return made


class LateBinding(Binding):
    """What the functions of one instance need of it, looked up when a function is bound to it."""

    def __init__(self, frame: Frame, instance: int, options: PlanOptions) -> None:
        parts = self.__dict__  # the base class is frozen
        parts["instance"] = frame.components[instance]
        parts["resources"] = frame.resources
        parts["_frame"] = frame
        parts["_index"] = instance
        parts["_options"] = options

    _frame: Frame
    _index: int
    _options: PlanOptions

    @property
    def memory(self) -> CoreMemory | None:
        ref = self._options.memory
        return None if ref is None else self._frame.core(ref)

    @property
    def realloc(self) -> CoreFunc | None:
        ref = self._options.realloc
        return None if ref is None else self._frame.nested(ref, self._index)

    @property
    def post_return(self) -> CoreFunc | None:
        ref = self._options.post_return
        return None if ref is None else self._frame.post_return(ref, self._index)

    @property
    def batch(self) -> Batch | None:
        return self._frame.batch(self._options.realloc, self._index)


_RESOURCE_BUILTINS = {
    "resource.new": abi.resource_new,
    "resource.drop": abi.resource_drop,
    "resource.rep": abi.resource_rep,
}

_HOST_FUNCTIONS: dict[type, Callable[[Frame, Any], CoreCallable]] = {
    LowerFunc: Frame.lower_func,
    ResourceBuiltin: Frame.resource_builtin,
    CanonicalBuiltin: Frame.canonical_builtin,
    ImportCoreFunc: Frame.import_core_func,
}

_STEPS: dict[type, Callable[[Frame, Any], None]] = {
    NewComponentInstance: Frame.component_instance,
    Assemble: Frame.assemble,
    DefineResource: Frame.define_resource,
    CallCoreFunc: Frame.call_core_func,
}
