"""Guests and the host that call each other until Python's stack is full: a trap, as where the guest's own stack is.

In: what a call into a guest is to raise. Out: the same; or, where that says that Python's stack is full and a guest
called what made the call, a `Trap` that has it as its cause. Who is below is asked of the stack itself, and only then.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any, TypeVar

from wippywasm.engine.codegen import callers, filename_of
from wippywasm.engine.traps import STACK, make_trap

F = TypeVar("F", bound=Callable[..., Any])

HOST_ENTRY = "host entry"
"""The name of all generated code that a guest calls."""

_HOST_ENTRIES = filename_of(HOST_ENTRY)
_awaiting: set[CodeType] = set()


def awaits_for_guests(function: F) -> F:
    """A coroutine function that awaits what a host function of a guest returned."""
    _awaiting.add(function.__code__)
    return function


def unless_too_deep(error: BaseException) -> BaseException:
    """`error`, or the trap that it is."""
    if not is_recursion(error) or not _is_called_by_a_guest():
        return error
    trap = make_trap(STACK)
    trap.__cause__ = error
    return trap


def is_recursion(error: BaseException) -> bool:
    """Whether Python's stack was full, which ctypes words its own way."""
    in_ctypes = isinstance(error, ctypes.ArgumentError) and "RecursionError" in str(error)
    return in_ctypes or isinstance(error, RecursionError)


def _is_called_by_a_guest() -> bool:
    return any(frame.f_code in _awaiting or _is_host_entry(frame) for frame in callers(sys._getframe()))


def host_states() -> Iterator[Any]:
    """How the guests are running whose host functions are under way in this thread, the innermost first."""
    return (frame.f_locals["state"] for frame in callers(sys._getframe()) if _is_host_entry(frame))


def _is_host_entry(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith(_HOST_ENTRIES)
