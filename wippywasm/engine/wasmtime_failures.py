"""What came of a call or an instantiation that wasmtime did not finish.

In: the native error and trap, which are owned from here on, and what a host function raised. Out: an exception.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from wippywasm.core import CoreExternType
from wippywasm.engine import linking
from wippywasm.engine import wasmtime_capi as capi
from wippywasm.engine.bounds import MEMORY, BoundsOf, too_many
from wippywasm.engine.exhausted import exhausted, is_exhausted
from wippywasm.engine.recursion import unless_too_deep
from wippywasm.engine.traps import ALLOCATION, make_trap
from wippywasm.engine.wasmtime_running import NO_SPARE, Running
from wippywasm.engine.wasmtime_traps import frames_of_error, trap_of
from wippywasm.errors import Frame, InternalError, InvalidError, Trap, WippyError

if TYPE_CHECKING:
    from wippywasm.engine.wasmtime_modules import WasmtimeModule

_GC_HEAP = "GC heap out of memory"
_TOO_MANY = re.compile(r"resource limit exceeded: (instance|memory|table) count too high at (\d+)")
_COUNTED = {"instance": "core instances", "memory": "memories", "table": "tables"}


def failure_of(
    running: Running, error: int, trap: int, bounds: BoundsOf, place: Callable[[Frame], Frame]
) -> BaseException:
    """Own what a call into the guest gave back, and say what it was; `place` is for the frames of a trap."""
    raised, running.raised = running.raised, None
    if not running.spare.trap and running.spare is not NO_SPARE:
        running.spare.trap = capi.new_trap()
    if trap and (raised is None or capi.has_code(trap)):
        return trap_of(capi.take_trap(trap), place)
    if raised is None:
        return _refusal(error, bounds, place)
    if isinstance(raised, Trap) and not raised.frames:
        _tell_frames(raised, error, place)
    _discard(error, trap)
    return unless_too_deep(raised)


def _tell_frames(raised: Trap, error: int, place: Callable[[Frame], Frame]) -> None:
    """Have a trap that the host raised say where the guest was, where Python's stack has room for that."""
    with suppress(RecursionError, ctypes.ArgumentError):
        raised.come_through([place(frame) for frame in frames_of_error(error)])


def _refusal(error: int, bounds: BoundsOf, place: Callable[[Frame], Frame]) -> BaseException:
    """What wasmtime ends a call with that is no trap to it."""
    frames = [place(frame) for frame in frames_of_error(error)]
    message = str(capi.take_error(error))
    if _GC_HEAP in message:
        return bounds.exceeded(make_trap(ALLOCATION, frames), MEMORY)
    if not frames and is_exhausted(message):
        return exhausted("the stack of another guest")
    return InternalError(f"wasmtime refused the call: {message}")


def refused(module: WasmtimeModule, types: Sequence[CoreExternType], message: str) -> WippyError:
    """Why there is no instance, by wasmtime's message."""
    text = message.strip()
    if is_exhausted(text):
        return exhausted("another guest")
    if text.startswith("incompatible import type"):
        return linking.mismatch(module.imports, types, text)
    many = _TOO_MANY.search(text)
    if many is not None:
        return too_many(_COUNTED[many[1]], int(many[2]) - 1)
    return InvalidError(f"the module can't be instantiated within its store's limits: {text}")


_kept: list[tuple[Callable[[int], None], int]] = []
"""What could not be freed because Python's stack was full; freed with the next."""


def _discard(error: int, trap: int) -> None:
    """Free what the host's own trap came back as."""
    if error:
        _kept.append((capi.error_delete, error))
    if trap:
        _kept.append((capi.trap_delete, trap))
    while _kept:
        free, address = _kept.pop()
        try:
            free(address)
        except (RecursionError, ctypes.ArgumentError):
            _kept.append((free, address))
            return
