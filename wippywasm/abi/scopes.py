"""The handles of one call at a boundary with the host: resources as Python objects on one side, indices on the other.

In: Python objects that are checked and lowered, handle indices that are lifted. Out: the other, with ownership moved,
and loans that end with the call.

Spec: `CanonicalABI.md`, `lift_own`, `lift_borrow`, `lower_own`, `lower_borrow`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from wippywasm.abi.destroying import drop_arriving, drop_lifted
from wippywasm.abi.handles import (
    get_handle,
    get_own,
    keep_moving,
    keep_own,
    lend_object,
    lent_to,
    receive,
    send,
    signed,
)
from wippywasm.abi.host_values import Misfit
from wippywasm.abi.options import Binding
from wippywasm.abi.resources import GuestResource, Resource
from wippywasm.abi.signature import MISSING
from wippywasm.abi.slots import slot
from wippywasm.abi.source import COMPONENT_SIDE, Side
from wippywasm.abi.state import (
    Allowance,
    ComponentInstance,
    HostObject,
    Moving,
    ResourceHandle,
    RuntimeResource,
    Subtask,
    Task,
)
from wippywasm.delivery import deliver
from wippywasm.errors import with_article
from wippywasm.model import BorrowType, OwnType, ResourceType, resource_of


class Scope(Allowance):
    """The handles of one call at a boundary with the host.

    `take_*` look at a Python object in phase one of lowering, `give_*` put its handle into the guest's table in phase
    three, `lift_*` take a handle out of it. `undo` takes back what `take_*` did, `fail` leaves the guest what it had or
    was about to get.
    """

    __slots__ = ("given", "is_whole", "lifted", "placing", "resources", "seen", "subtask", "taken", "task")

    def __init__(
        self, inst: ComponentInstance, resources: Mapping[ResourceType, RuntimeResource], task: Task, subtask: Subtask
    ) -> None:
        super().__init__(inst)
        self.resources = resources
        self.task = task
        self.subtask = subtask
        self.taken: list[tuple[RuntimeResource, Any, GuestResource | None]] = []
        """What `take_own` gave, in the order in which it is given to the guest."""
        self.is_whole = False
        """Whether that is all that the host gives in a result."""
        self.given = 0
        """How many of these the guest has got."""
        self.placing: tuple[int, ResourceHandle] | None = None
        """The handle for the one of that number, which may be in the guest's table before it is counted."""
        self.lifted: list[tuple[RuntimeResource, Any]] = []
        """What `lift_own` gave."""
        self.seen: dict[int, bool] = {}
        """For `problem`: the resources of this call, and whether each is given away."""

    def problem(self, value: Any, t: OwnType | BorrowType) -> str | None:
        """Why an object can't be passed as that handle, or None."""
        rt = self.resources[resource_of(t.resource)]
        if rt.impl is None:
            return _host_problem(value, rt)
        if not isinstance(value, GuestResource):
            return "give the Resource that the guest returned"
        if value._type is not rt:
            return f"this one is {with_article(value._type.name)} of another type or instance"
        if value._rep is None:
            return "it is closed or was given away"
        if isinstance(t, OwnType) and not value._owned:
            return "it is only borrowed"
        return self._conflict(value, isinstance(t, OwnType))

    def _conflict(self, value: GuestResource, gives: bool) -> str | None:
        """Why one call can't pass it: another argument gives it away, or it is lent."""
        if gives and value._lends:
            return "a call still borrows it"
        others, self.seen[id(value)] = self.seen.get(id(value)), gives
        return "it is passed twice, and given away" if others is not None and (gives or others) else None

    def take_own(self, value: Any, resource: ResourceType) -> Any:
        rt = self.resources[resource]
        if rt.impl is None:
            self.taken.append((rt, _host_object(value, rt), None))
            return value
        if not isinstance(value, GuestResource) or value._type is not rt or not value._owned:
            raise Misfit
        rep, append = value._rep, self.taken.append
        taken = rt, rep, value
        # Nothing may come between the test and what it guards: see `entry`.
        if value._rep is not None and not value._lends:
            value._rep = None
            append(taken)
            return rep
        raise Misfit

    def take_borrow(self, value: Any, resource: ResourceType) -> Any:
        rt = self.resources[resource]
        if rt.impl is None:
            return _host_object(value, rt)
        if not isinstance(value, GuestResource) or value._type is not rt:
            raise Misfit
        lend = self.task.lent.append
        lent = value, None
        # Nothing may come between what lends it and what knows of that: see `entry`.
        value._lends += 1
        if value._rep is not None:  # after it is lent, since another thread may close it
            lend(lent)
            return value._rep
        value._lends -= 1
        raise Misfit

    def undo(self) -> None:
        """Give back everything that was taken, after a value turned out not to fit."""
        for _, rep, value in self.taken:
            if value is not None:
                value._rep = rep
        self.taken.clear()
        self.seen.clear()
        self.task.release()

    def give_own(self, taken: Any, resource: ResourceType) -> int:
        rt = self.resources[resource]
        rep = taken if rt.objects is None else rt.objects.add(HostObject(taken))
        handle = ResourceHandle(rt, rep, own=True)
        self.placing = self.given, handle
        index = self.inst.handles.add(handle)
        self.given += 1
        return index

    def give_borrow(self, taken: Any, resource: ResourceType) -> int:
        rt = self.resources[resource]
        if rt.impl is self.inst:
            return signed(taken)
        rep = taken
        if rt.objects is not None:
            rep = lend_object(self.task, taken, rt)
        self.task.num_borrows += 1
        return self.inst.handles.add(ResourceHandle(rt, rep, own=False, borrow_scope=self.task))

    def lift_own(self, index: int, resource: ResourceType) -> Any:
        rt = self.resources[resource]
        handle = get_own(self.inst, index, rt)
        rep = handle.rep
        # Ctrl-C may come, so it is in one place at every call: nothing may come between what moves it, see `entry`.
        if rt.objects is not None:
            value = rt.objects.get(rep).value
            handle.own = False
            rt.objects.array[rep] = None
            self.lifted.append((rt, value))
            rt.objects.free.append(rep)
        else:
            value = (rt.cls or Resource)(rt, rep, owned=False)
            handle.own = False
            value._owned = True
            self.lifted.append((rt, value))
        self.inst.handles.remove(index)
        return value

    def lift_borrow(self, index: int, resource: ResourceType) -> Any:
        rt = self.resources[resource]
        handle = get_handle(self.inst, index, rt)
        self.subtask.add_lender(handle)
        if rt.objects is not None:
            return rt.objects.get(handle.rep).value
        lent = (rt.cls or Resource)(rt, handle.rep, owned=False)
        self.subtask.on_resolve.append(lent.close)
        return lent

    def return_(self) -> None:
        """The guest has returned."""
        self.taken.clear()
        self.task.return_()
        if self.lifted:
            deliver(self.inst, self.drop)

    def fail(self) -> None:
        """The guest is ending: it owns what was on its way, as if that had arrived or never left."""
        for number, (rt, taken, _) in enumerate(self.taken[self.given :]):
            if number or not self._is_placed(rt, taken):
                self._keep(rt, taken)
        for rt, value in self.lifted:
            if rt.objects is not None:
                self._keep(rt, value)
            else:
                value._give(self.inst.handles.array.append)
        self.taken.clear()
        self.lifted.clear()
        self.task.release()

    def _is_placed(self, rt: RuntimeResource, taken: Any) -> bool:
        """Whether that which comes next is in a table already: the other was full, or Ctrl-C came before it counted."""
        if rt.objects is not None:
            return any(held.own and held.value is taken for held in rt.objects)
        number, handle = self.placing or (-1, None)
        return number == self.given and any(h is handle for h in self.inst.handles)

    def drop(self, tell: Callable[[Exception], None]) -> None:
        """Whoever was to get what was lifted is gone; `tell` gets each error of a destructor."""
        drop_lifted(self.lifted, tell)

    def fail_to_return(self) -> None:
        """The same when the host has what was lifted for it."""
        self.lifted.clear()
        self.fail()

    def fail_to_get(self, error: BaseException, take: Callable[[Scope, Any], None], result: Any) -> None:
        """The same when the host has returned; where Ctrl-C came before all was taken, `take` takes it."""
        if not self.is_whole and not isinstance(error, Exception):
            self.undo()
            with suppress(Exception):
                take(self, result)
        self.is_whole = True
        self.fail_to_return()

    def _keep(self, rt: RuntimeResource, what: Any) -> None:
        keep_own(self.inst, rt, what if rt.objects is None else rt.objects.keep(HostObject(what)))


def _host_object(value: Any, rt: RuntimeResource) -> Any:
    if not isinstance(value, rt.host_class) or isinstance(value, GuestResource) or value is MISSING:
        raise Misfit
    return value


def _host_problem(value: Any, rt: RuntimeResource) -> str | None:
    """Why an object can't be one of the host's resources, or None."""
    if isinstance(value, GuestResource):
        return "it belongs to a guest"
    if not isinstance(value, rt.host_class):
        return f"the class given for {rt.name!r} is {rt.host_class.__module__}.{rt.host_class.__qualname__}"
    return None


class ComponentScope(Allowance):
    """The same between two components: an own is the handle that has left one table on the way, until it has arrived in
    the other; a borrow is the handle that lends. Both have been checked."""

    __slots__ = ("moving", "resources", "subtask", "task")

    def __init__(
        self, inst: ComponentInstance, resources: Mapping[ResourceType, RuntimeResource], task: Task, subtask: Subtask
    ) -> None:
        super().__init__(inst)
        self.resources = resources
        self.task = task
        self.subtask = subtask
        self.moving: Moving = []

    def take_own(self, handle: ResourceHandle, resource: ResourceType) -> ResourceHandle:
        self.moving.append((handle, self.resources[resource]))
        return handle

    def take_borrow(self, lender: ResourceHandle, resource: ResourceType) -> ResourceHandle:
        return lender

    def undo(self) -> None:
        """Nothing was taken."""

    def give_own(self, handle: ResourceHandle, resource: ResourceType) -> int:
        return receive(self.inst, handle, self.resources[resource])

    def give_borrow(self, lender: ResourceHandle, resource: ResourceType) -> int:
        rt = self.resources[resource]
        if rt.impl is self.inst:
            return signed(lender.rep)
        rep = lent_to(self.task, lender, rt)
        self.task.num_borrows += 1
        return self.inst.handles.add(ResourceHandle(rt, rep, own=False, borrow_scope=self.task))

    def lift_own(self, index: int, resource: ResourceType) -> ResourceHandle:
        rt = self.resources[resource]
        return send(self.inst, index, rt, self.moving)

    def lift_borrow(self, index: int, resource: ResourceType) -> ResourceHandle:
        handle = get_handle(self.inst, index, self.resources[resource])
        self.subtask.add_lender(handle)
        return handle

    def return_(self) -> None:
        """The guest has returned."""
        self.task.return_()

    def fail(self) -> None:
        """The instance is ending: it owns what has not arrived elsewhere, or was about to."""
        keep_moving(self.inst, self.moving)
        drop_arriving(self.inst)
        self.task.release()


def scope_factory(
    binding: Binding, resources: tuple[ResourceType, ...], side: Side
) -> Callable[[], Scope | ComponentScope] | None:
    """What makes the scope of each call, or None for functions without handles."""
    if not resources:
        return None
    bound = {slot(i): binding.resources[r] for i, r in enumerate(resources)}
    bound.update((r, binding.resources[r]) for r in resources)
    inst = binding.instance
    make = ComponentScope if side is COMPONENT_SIDE else Scope
    return lambda: make(inst, bound, Task(inst), Subtask())
