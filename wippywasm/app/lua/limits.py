"""What one Lua worker may use.

In: numbers. Out: a frozen record of them. Spec: SPEC section 11.
"""

from __future__ import annotations

from wippywasm.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class LuaLimits:
    """Bounds on one worker; a worker that reaches `instructions` or `busy_seconds` is not used again.

    `memory_bytes` is what its Lua state may hold, `instructions` what one call may execute (coroutines included, costly
    library functions counted by their work), `busy_seconds` how long it may compute without waiting for anything,
    With `renews` each wait gives it all `instructions` again, so that it may run for ever.
    `values` and `depth` say how large and how deep an untyped value may be that crosses the border of the sandbox.
    """

    memory_bytes: int = 64 << 20
    instructions: int = 1_000_000_000
    busy_seconds: int = 5
    values: int = 1_000_000
    depth: int = 128
    renews: bool = False


PROCESS_LIMITS = LuaLimits(instructions=100_000_000_000, busy_seconds=60, renews=True)
"""A process lives for long, and computes where nobody waits for it."""
