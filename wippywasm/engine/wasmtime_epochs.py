"""Interruptions on wasmtime: guests are stopped now and then, to be ended or to let others run.

In: stores whose guests are to be looked after. Out: a callback that wasmtime calls where a guest has run for a slice:
it ends the guest that is out of time or was interrupted, suspends the one that runs on a fiber, and lets others go on.

wasmtime counts slices in epochs, which a thread increments: one per engine, that runs while guests do and for a moment
longer, so that starting it costs no call anything.

Reference: `wasmtime_store_epoch_deadline_callback`.
"""

from __future__ import annotations

import _thread
import ctypes
import os
import threading
import time
import weakref
from contextlib import suppress
from ctypes import c_uint8, c_uint64, c_void_p
from typing import Any

import wasmtime

from wippywasm.engine import wasmtime_capi as capi
from wippywasm.engine.codegen import without_signal_check
from wippywasm.engine.exhausted import exhausted
from wippywasm.engine.wasmtime_running import NEVER, Running
from wippywasm.errors import TimedOutError

_CORES = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
"""Those that this process may use, before any thread is bound to some."""
EPOCH_SECONDS = 0.003
IDLE_EPOCHS = 150
"""After so many epochs in which no guest was started, the thread ends."""
BEGIN_SECONDS = 1.0
"""How long a new thread has to begin, until another is tried."""
MAX_NESTED = 25
"""Slices that a guest on a fiber may use up while a host function is on it too, since it can't be suspended then."""


class Ticker:
    """Increments an engine's epoch while guests run. `awake` tells that it does; who starts a guest sets `used`."""

    def __init__(self, native: wasmtime.Engine) -> None:
        self.awake = False
        self.used = False
        self._is_late_at = 0.0
        """When the thread that was started last should have begun."""
        self._native = native  # which the thread may outlive otherwise
        self._engine = capi.pointer_of(native)
        self._lock = threading.Lock()
        if hasattr(os, "register_at_fork"):
            weak = weakref.WeakMethod(self._forget)
            os.register_at_fork(after_in_child=lambda: (weak() or _nothing)())

    def wake(self) -> None:
        """Start the thread. One that could not begin, as where no memory map is left, is not waited for.

        `threading.Thread` would wait for it for ever.
        """
        with self._lock:
            if self.awake or time.monotonic() < self._is_late_at:
                return
            self._is_late_at = time.monotonic() + BEGIN_SECONDS
            try:
                _thread.start_new_thread(self._tick, ())
            except (RuntimeError, MemoryError) as error:
                self._is_late_at = 0.0
                if isinstance(error, RecursionError):
                    raise
                raise exhausted("the thread that ends guests' slices") from error

    def _forget(self) -> None:
        """A forked process has no such thread."""
        self.awake = False
        self._is_late_at = 0.0
        self._lock = threading.Lock()

    def _tick(self) -> None:
        self.awake = True
        _run_anywhere()
        idle = 0
        while idle < IDLE_EPOCHS:
            time.sleep(EPOCH_SECONDS)
            capi.engine_increment_epoch(self._engine)
            idle = 0 if self.used else idle + 1
            self.used = False
        with self._lock:
            self.awake = False
            self._is_late_at = 0.0
        if self.used:
            self.wake()


def _run_anywhere() -> None:
    """A thread begins on the cores of the one that starts it, which may be one that a guest has to itself."""
    if hasattr(os, "sched_setaffinity"):
        with suppress(OSError):
            os.sched_setaffinity(0, _CORES)


def _nothing() -> None:
    pass


def watch(store: Any, running: Running, ticker: Ticker) -> None:
    """Have the guests of a native store stopped after each slice that is armed."""
    running.ticker = ticker
    _watched[id(running)] = running
    capi.epoch_deadline_callback(store, _ENTRY_ADDRESS, c_void_p(id(running)), None)


_watched: weakref.WeakValueDictionary[int, Running] = weakref.WeakValueDictionary()


def _on_epoch(context: int, data: int, delta: int, kind: int) -> int:
    try:  # first of all, so that on CPython 3.10 no signal handler runs before
        running = None
        running = _watched[data]
        error = _verdict(running)
        if error is None:
            suspends = running.on_fiber and not running.depth
            c_uint8.from_address(kind).value = capi.YIELD if suspends else capi.CONTINUE
            armed = running.is_armed
            running.ticker.used |= armed  # it ticks for as long as a guest runs, too
            c_uint64.from_address(delta).value = (running.slice if armed else NEVER).value
            return 0
    except BaseException as raised:  # noqa: BLE001  (a signal handler's, which ends the guest)
        error = raised
    if running is None:  # the signal struck before it was found
        running = _watched.get(data)
    if running is not None:
        running.raised = error
    return capi.new_error(b"host")


def _verdict(running: Running) -> BaseException | None:
    """What the guest is to be ended with, or None."""
    error = running.due()
    if error is not None:
        return error
    return _nested_too_long(running) if running.on_fiber and running.depth else None


class _Late(int):
    """The depth of a host function in which a slice has ended; what the function leaves it for is a plain number."""


def _nested_too_long(running: Running) -> BaseException | None:
    """Count a slice in which the guest could not be suspended; the error where those were too many.

    The first slice that ends in a host function had begun before it, so that a guest which calls quick ones often is
    not to blame.
    """
    if not isinstance(running.depth, _Late):
        running.depth = _Late(running.depth)
        return None
    now = time.monotonic()
    running.nested = running.nested_since(now) + 1
    running.nested_at = now
    if running.nested <= MAX_NESTED:
        return None
    return TimedOutError(
        "the guest took too long in an allocation or a destructor, in which it can't be suspended",
        hint=f"its event loop stands still meanwhile, so that it may use up {MAX_NESTED} slices there at most",
        details={"budget": "slices", "slices": MAX_NESTED},
    )


_ENTRY = capi.EpochEntry(without_signal_check(_on_epoch))
_ENTRY_ADDRESS = ctypes.cast(_ENTRY, c_void_p)
