"""Results on their way to a task in another thread, which may be gone when the guest has returned.

In: the call that a thread executes for a task; what drops the resources in the guest's result. Out: the two, brought
together, so that what the task does not take is dropped.

Spec: `CanonicalABI.md`, `lift_own`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, TypeAlias

Drop: TypeAlias = Callable[[Callable[[Exception], None]], None]
"""Drops resources; gets what is told of each error."""


class Delivery(Protocol):
    """A call into the guest that has these `components`; `drop` is for what is in its result, where something is."""

    @property
    def components(self) -> Sequence[Any]: ...

    drop: Drop | None


class _Passing:
    """The call of an instance that passes on what another gives."""

    def __init__(self, component: Any) -> None:
        self.components = (component,)
        self.drop: Drop | None = None


class _Thread(threading.local):
    """`delivery` is the call that is executed here for a task in another thread, if one is."""

    delivery: Delivery | None = None


this_thread = _Thread()


def deliver(component: Any, drop: Drop) -> None:
    """Note what drops the result of a call of that component instance: for the task, where that made the call.

    What the guest calls meanwhile is not that guest.
    """
    delivery = this_thread.delivery
    if delivery is not None and component in delivery.components:
        delivery.drop = drop


@contextmanager
def passed_on(component: Any, guest: Any) -> Iterator[None]:
    """Where a task has called that guest, of which this is an instance: what the other one gives is the result."""
    outer = this_thread.delivery
    if outer is None or guest not in outer.components:
        yield
        return
    this_thread.delivery = passing = _Passing(component)
    try:
        yield
    finally:
        this_thread.delivery = outer
        outer.drop = passing.drop
