"""The engines' words for a trap → one `errors.Trap` with a stable code and a bounded backtrace.

In: an engine's message or code, and frames. Out: `Trap`. The codes are the words that the specification's own
test suite expects, so both engines and every test say the same thing for the same fault.

Spec: WebAssembly core, `exec/instructions`.
"""

from __future__ import annotations

from collections.abc import Sequence

from wippywasm.errors import Frame, Trap

UNREACHABLE = "unreachable"
DIVIDE_BY_ZERO = "integer divide by zero"
INTEGER_OVERFLOW = "integer overflow"
BAD_CONVERSION = "invalid conversion to integer"
MEMORY_BOUNDS = "out of bounds memory access"
TABLE_BOUNDS = "out of bounds table access"
UNINITIALIZED = "uninitialized element"
SIGNATURE = "indirect call type mismatch"
STACK = "call stack exhausted"
UNCAUGHT = "uncaught exception"
NULL_REFERENCE = "null reference"
UNALIGNED_ATOMIC = "unaligned atomic"
NOT_SHARED = "expected shared memory"
ARRAY_BOUNDS = "out of bounds array access"
ALLOCATION = "allocation size too large"
CAST = "cast failure"
OTHER = "trap"

MAX_FRAMES = 32
"""How many guest frames a trap keeps, innermost first."""

# Where the reader of a trap would ask what the word means.
_MESSAGES = {
    TABLE_BOUNDS: "undefined element: out of bounds table access",
    STACK: "call stack exhausted: the guest's recursion is too deep",
}


def make_trap(code: str, frames: Sequence[Frame] = (), message: str = "") -> Trap:
    """A trap that says what happened and in which function."""
    text = _MESSAGES.get(code) or (message if code == OTHER and message else code)
    where = f" in {frames[0].render()}" if frames else ""
    return Trap(f"the guest trapped: {text}{where}", code=code, frames=frames[:MAX_FRAMES])


def python_headroom() -> None:
    """Raise `RecursionError` where Python's stack has no room left for a host function's entry, which C calls.

    An entry that Python refuses to start could not even say so to the engine that called it.
    """
    _two_deeper()


def _two_deeper() -> None:
    pass
