"""What a wasmtime store's calls, host functions and interruptions know of each other.

In: calls into the guest and out of it. Out: one small object per store that all of them share.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from ctypes import c_uint64
from typing import Any, NoReturn

from wippywasm.engine import wasmtime_capi as capi
from wippywasm.engine.port import CoreCallable
from wippywasm.engine.spans import Span, Spans
from wippywasm.engine.stacks import UNKNOWN
from wippywasm.engine.turns import this_thread
from wippywasm.errors import UnavailableError

NEVER = c_uint64(1 << 62)
"""An epoch deadline that is not reached."""
SLICE = c_uint64(2)
"""Epochs that a guest runs at a time: a whole one at least, so that short calls that see an epoch end do not yield."""


LONG_SLICE = c_uint64(10)
"""The same for a guest with a thread to itself: each end of a slice takes the interpreter, which others may have."""


NESTED_SECONDS = 0.1
"""Of the slices that a guest used up where it can't be suspended, one is forgotten after so long: what it may hold its
event loop for in the long run."""


class Functions(dict[int, CoreCallable]):
    """A store's host functions by number. Those that `make` knows are made when they are first called."""

    __slots__ = ("__weakref__", "make")

    def __init__(self) -> None:
        self.make: Callable[[int], CoreCallable] | None = None

    def __missing__(self, number: int) -> CoreCallable:
        assert self.make is not None
        made = self[number] = self.make(number)
        return made


def _no_functions() -> None:
    """Of a store that has none, or of none at all."""


def closed() -> UnavailableError:
    """What every use of a closed store raises."""
    return UnavailableError("the store is closed", hint="instantiate the module again")


def refuse() -> NoReturn:
    """What comes first in calls into a closed store."""
    raise closed()


class Spare:
    """A trap made beforehand; `trap` is 0 once it was returned to wasmtime, which owns it then."""

    __slots__ = ("trap",)

    def __init__(self, trap: int) -> None:
        self.trap = trap

    def __del__(self) -> None:
        # Where all this is collected in one go, finalizers of others may still run the guest.
        trap, self.trap = self.trap, 0
        if trap:
            capi.trap_delete(trap)


NO_SPARE = Spare(0)
NO_SPANS = Spans()
"""Those of stores of which no call ever had a time: they never have any."""


class Running:
    """How a store's guest is running.

    `functions()` gives its host functions, which are held weakly since `wasmtime_hosts` knows every live store.
    `first`, where there is one, raises what there is to raise before the guest is called: that Python's stack is full,
    where Python may be called while it runs, or that the store is closed.
    `depth` is how deep host functions are nested, `raised` what the last one raised, `spare` has the trap that the next
    one to raise will return. `stack` is the stack on which they were called last.
    `on_fiber` tells that the guest runs on a fiber, so that it may be suspended where no host
    function is on that fiber too; `parked` is 1 when a host function asks for that, for the guest's shim to see.
    `spans` has the calls that can be ended while they run, and when they are to end;
    `nested` is how many slices it has used up inside of a host function of late, at the moment `nested_at`.
    `ticker` ends its slices, of `slice` epochs.
    `future` is the call on a fiber that is under way, or 0; `inner_future` is an allocation for what that waited for.
    Both have to go before their store does.
    """

    __slots__ = (
        "__weakref__",
        "depth",
        "first",
        "functions",
        "future",
        "inner_future",
        "nested",
        "nested_at",
        "on_fiber",
        "parked",
        "raised",
        "slice",
        "spans",
        "spare",
        "stack",
        "ticker",
    )

    def __init__(self) -> None:
        self.functions: Callable[[], Functions | None] = _no_functions
        self.first: Callable[[], None] | None = None
        self.depth = 0
        self.raised: BaseException | None = None
        self.spare = NO_SPARE
        self.on_fiber = False
        self.parked = 0
        self.spans = NO_SPANS
        self.ticker: Any = None
        self.nested = 0.0
        self.nested_at = 0.0
        self.future = 0
        self.inner_future = 0
        self.stack = UNKNOWN
        self.slice = LONG_SLICE if this_thread.is_alone else SLICE

    def begin(self, span: Span) -> None:
        """`Spans.begin`."""
        if self.spans is NO_SPANS:
            made = Spans()
            # Nothing may come between the test and what it guards: see `abi.entry`.
            if self.spans is NO_SPANS:
                self.spans = made
        self.spans.begin(span)

    def end_future(self) -> None:
        """End the call on a fiber that is under way, if there is one: its frames are unwound, without calling the host.

        Its coroutine does that, or its store, whichever goes first: the garbage collector knows no order.
        """
        self.end_inner()
        future, self.future = self.future, 0
        if future:
            capi.future_delete(future)

    def nested_since(self, now: float) -> float:
        """How many slices it has used up inside of a host function of late."""
        return max(0.0, self.nested - (now - self.nested_at) / NESTED_SECONDS)

    @property
    def is_slow(self) -> bool:
        """Whether there are some; where there are none, `nested` says so from then on."""
        if self.nested and not self.nested_since(time.monotonic()):
            self.nested = 0.0
        return bool(self.nested)

    @property
    def is_armed(self) -> bool:
        """Whether the guest is to be stopped after each slice."""
        return self.on_fiber or bool(self.spans)

    def end_inner(self) -> None:
        """End the allocation that is under way on a fiber of its own, if there is one."""
        future, self.inner_future = self.inner_future, 0
        if future:
            capi.future_delete(future)

    def check(self) -> None:
        """Raise what the guest is to end with, where it is; to be called after the host worked, with a deadline."""
        error = self.due()
        if error is not None:
            raise error

    def due(self) -> BaseException | None:
        """What the guest is to end with, where it is."""
        return self.spans.overdue()
