"""Panics of an engine's native code → our errors, and none left behind.

In: what was raised, or things to let go of. Out: a typed error; nothing. An object whose memory can't be given back
panics as it goes, where nothing can be raised. What it leaves comes out of whatever is called next as a `SystemError`:
were that the `acquire` of a lock, the lock would be held for ever. So it is made to come out at once.
"""

from __future__ import annotations

from typing import Any

from wippywasm.engine.exhausted import exhausted, is_exhausted
from wippywasm.errors import InternalError


def panic_of(error: BaseException | None) -> BaseException | None:
    """The panic that `error` is, or that was found by what raised it. Its class, no `Exception`, is not importable."""
    if isinstance(error, SystemError):
        error = error.__cause__
    return error if type(error).__name__ == "PanicException" else None


def unless_panic(error: BaseException) -> BaseException:
    """`error`, or the one to raise instead of a panic: mostly there is no memory map left."""
    panic = panic_of(error)
    if panic is None:
        return error
    return exhausted("another guest") if is_exhausted(str(panic)) else InternalError(f"the engine panicked: {panic}")


def let_go(things: list[Any]) -> None:
    """Empty the list of native objects, or of what may have the last reference to some, whether or not one panics."""
    try:
        things.clear()
    except SystemError:  # that memory stays where it is
        pass
