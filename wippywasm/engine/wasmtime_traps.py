"""wasmtime's traps → `Trap` with code and frames.

In: a trap of the `wasmtime` package. Out: `Trap`. The code comes from wasmtime's number, not from its text, in which
names that the guest chose stand too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from wasmtime import Frame as NativeFrame
from wasmtime import Trap as NativeTrap
from wasmtime import TrapCode

from wippywasm.engine import traps
from wippywasm.engine import wasmtime_capi as capi
from wippywasm.engine.wasmtime_shims import SHIM
from wippywasm.errors import Frame, Trap

_CODES: dict[TrapCode, str] = {
    TrapCode.STACK_OVERFLOW: traps.STACK,
    TrapCode.MEMORY_OUT_OF_BOUNDS: traps.MEMORY_BOUNDS,
    TrapCode.HEAP_MISALIGNED: traps.UNALIGNED_ATOMIC,
    TrapCode.TABLE_OUT_OF_BOUNDS: traps.TABLE_BOUNDS,
    TrapCode.INDIRECT_CALL_TO_NULL: traps.UNINITIALIZED,
    TrapCode.BAD_SIGNATURE: traps.SIGNATURE,
    TrapCode.INTEGER_OVERFLOW: traps.INTEGER_OVERFLOW,
    TrapCode.INTEGER_DIVISION_BY_ZERO: traps.DIVIDE_BY_ZERO,
    TrapCode.BAD_CONVERSION_TO_INTEGER: traps.BAD_CONVERSION,
    TrapCode.UNREACHABLE: traps.UNREACHABLE,
    TrapCode.ATOMIC_WAIT_NON_SHARED_MEMORY: traps.NOT_SHARED,
    TrapCode.NULL_REFERENCE: traps.NULL_REFERENCE,
    TrapCode.ARRAY_OUT_OF_BOUNDS: traps.ARRAY_BOUNDS,
    TrapCode.ALLOCATION_TOO_LARGE: traps.ALLOCATION,
    TrapCode.CAST_FAILURE: traps.CAST,
    TrapCode.UNCAUGHT_EXCEPTION: traps.UNCAUGHT,
}
_THROWN = "thrown Wasm exception"
_UNKNOWN_OFFSET = (1 << 64) - 1


def trap_of(native: NativeTrap, place: Callable[[Frame], Frame]) -> Trap:
    """What our callers see of `native`; `place` says where a frame is in the files that people have."""
    frames = [place(frame) for frame in _frames(native.frames)]
    cause = native.message.rstrip().rsplit("\n", 1)[-1].strip().removeprefix("wasm trap: ")
    return traps.make_trap(_code(native, cause), frames, cause)


def uncaught(frames: list[Frame], message: str) -> Trap | None:
    """The exception that left a start function: to wasmtime an error of the instantiation, with a backtrace."""
    return traps.make_trap(traps.UNCAUGHT, frames) if frames and message.rstrip().endswith(f"\n    {_THROWN}") else None


def frames_of_error(error: int) -> list[Frame]:
    """The backtrace of a native error that is no trap."""
    return _frames(capi.error_frames(error))


def _code(native: NativeTrap, cause: str) -> str:
    number = native.trap_code
    if number is None:
        return traps.UNCAUGHT if cause == _THROWN else traps.OTHER
    return _CODES.get(number, traps.OTHER)


def _frames(native: Sequence[NativeFrame]) -> list[Frame]:
    return [_frame(frame) for frame in native[: traps.MAX_FRAMES] if frame.module_name != SHIM]


def _frame(native: NativeFrame) -> Frame:
    offset = native.module_offset
    return Frame(native.module_name, native.func_name, native.func_index, 0 if offset == _UNKNOWN_OFFSET else offset)
