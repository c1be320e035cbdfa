"""How much of its stack a thread has left for a guest on wasmtime, which gives each `GUEST` bytes wherever it begins.

In: the threads that call guests, addresses on their stacks. Out: errors where a guest, or the host functions that it
calls, could run off the end of the stack, which would end the process.

A thread is asked for its stack when it first calls a guest. Those with plenty are in `fit`, which most calls ask.
How much of the stack is in use, host functions see from the address that wasmtime passes to them. One that begins where
another guest has no room below takes its thread out of `fit`, so that calls are looked at until there is room again.

Guests on fibers have stacks that wasmtime makes; of those only the size is known, and where a first host function is.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable
from ctypes import byref, c_size_t, c_void_p
from threading import get_ident
from typing import Any

from wippywasm.engine.recursion import host_states
from wippywasm.engine.traps import STACK, make_trap
from wippywasm.errors import UnavailableError

GUEST = 512 << 10
"""What a guest may use, by wasmtime's own default."""
RESERVE = 128 << 10
"""What a host function has at least, below what its guest has used."""
SLACK = 64 << 10
"""What Python uses between a host function's beginning and a call into another guest."""
LEAST = 768 << 10
"""What a thread has to have."""
LEAST_ON_WASMER = 128 << 10
"""The same on wasmer, which ends a guest where the stack does; `wasmer_shims` has a reserve of its own."""
PLENTY = 2 << 20
"""With so much, what Python has used before it calls a guest does not matter."""
FIBER = 2 << 20
"""What wasmtime gives a fiber by default."""

fit: set[int] = set()
"""The threads in which any guest may be called now."""

_BEYOND = 1 << 64


class Stack:
    """The stack of a thread or fiber. Host functions that begin between `deep` and `top` may call other guests."""

    __slots__ = ("deep", "low", "top")

    def __init__(self, low: int, top: int) -> None:
        self.low = low
        self.top = top
        self.deep = low + RESERVE + GUEST + SLACK

    def __contains__(self, address: int) -> bool:
        return self.low < address < self.top

    def end(self) -> None:
        """No address is of this stack any more."""
        self.deep = self.low = _BEYOND


UNKNOWN = Stack(_BEYOND, _BEYOND)
_ANY = Stack(-GUEST - RESERVE - SLACK, _BEYOND)
"""Of a system that can't be asked, or code that switches stacks by itself."""


class _Thread:
    """What is known of a running thread, which alone refers to it."""

    def __init__(self) -> None:
        self.ident = get_ident()
        bounds = _bounds()
        self.stack = _ANY if bounds is None else Stack(*bounds)

    def __del__(self) -> None:
        fit.discard(self.ident)
        if self.stack is not _ANY:
            self.stack.end()


class _Here(threading.local):
    thread: _Thread | None = None


_here = _Here()


def _stack() -> Stack:
    thread = _here.thread
    if thread is None:
        thread = _here.thread = _Thread()
    return thread.stack


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=fit.clear)


def require(least: int = LEAST) -> None:
    """Raise `UnavailableError` where this thread's stack has no room for any guest."""
    stack = _stack()
    size = stack.top - stack.low
    if size < least:
        raise UnavailableError(
            f"this thread's stack of {size >> 10} KiB has no room for a guest",
            hint=f"start threads that use guests after threading.stack_size({1 << 20}), or with more; "
            "where it is all threads, raise the limit of the process (ulimit -s)",
        )


def admit(state: Any) -> None:
    """For a call into a guest by a thread that is not in `fit`: raise where there is no room for the guest.

    A guest that calls itself by way of the host goes on with what it had, unless it is on a fiber.
    """
    require()
    if state.depth and not state.on_fiber:
        return
    stack = _stack()
    is_plenty = stack.top - stack.low >= PLENTY
    address = _address()
    if address is not None and address not in stack:
        stack = _fiber_of(address)
    if address is not None and address < stack.deep - SLACK:
        raise make_trap(STACK)
    if is_plenty and (address is None or address > stack.deep):
        fit.add(get_ident())


def settle(state: Any, address: int) -> None:
    """A host function begins at an address that is not on the known part of its store's stack, or too far down."""
    stack = _stack()
    if address not in stack:
        stack = Stack(address + GUEST - FIBER, address + GUEST) if state.on_fiber else _fiber_of(address)
    state.stack = stack
    if address <= stack.deep:
        fit.discard(get_ident())
    if address < stack.low + RESERVE // 2:
        raise make_trap(STACK)


def _fiber_of(address: int) -> Stack:
    """The stack of the fiber on which a guest called what runs now."""
    return next((state.stack for state in host_states() if address in state.stack), _ANY)


# ---- what the system knows

_libc = ctypes.CDLL(None) if os.name == "posix" else None
_VISIT = ctypes.CFUNCTYPE(ctypes.c_int, c_void_p, c_void_p, ctypes.c_int, c_void_p)


def _find(name: str, result: Any, *arguments: Any) -> Callable[..., Any] | None:
    function = getattr(_libc, name, None)
    if function is not None:
        function.restype, function.argtypes = result, arguments
    return function


_self = _find("pthread_self", c_void_p)
_getattr = _find("pthread_getattr_np", ctypes.c_int, c_void_p, c_void_p)
_getstack = _find("pthread_attr_getstack", ctypes.c_int, c_void_p, c_void_p, c_void_p)
_destroy = _find("pthread_attr_destroy", ctypes.c_int, c_void_p)
_top_of = _find("pthread_get_stackaddr_np", c_void_p, c_void_p)
_size_of = _find("pthread_get_stacksize_np", c_size_t, c_void_p)
_walk_files = _find("nftw", ctypes.c_int, ctypes.c_char_p, _VISIT, ctypes.c_int, ctypes.c_int)


def _bounds() -> tuple[int, int] | None:
    """The lowest address of this thread's stack, and the one above it."""
    if _self is None:
        return None
    if _top_of is not None and _size_of is not None:  # macOS
        top = _top_of(_self()) or 0
        return top - _size_of(_self()), top
    if _getattr is None or _getstack is None or _destroy is None:
        return None
    attributes = ctypes.create_string_buffer(256)
    if _getattr(_self(), attributes):
        return None
    low, size = c_void_p(), c_size_t()
    _getstack(attributes, byref(low), byref(size))
    _destroy(attributes)
    top = (low.value or 0) + size.value
    return top - max(size.value, _main_size()), top


def _main_size() -> int:
    """What the main thread's stack may grow to, which musl does not tell; 0 in others."""
    import resource  # not everywhere

    if threading.main_thread().ident != get_ident():
        return 0
    limit = resource.getrlimit(resource.RLIMIT_STACK)[0]
    return 0 if limit == resource.RLIM_INFINITY else limit


def _address() -> int | None:
    """Where on the stack this is, as far as the system lets Python know: it shows a thing that it has there.

    Of what calls back with such a thing, a walk over files holds no lock for which others could wait.
    """
    if _walk_files is None:
        return None
    found: list[int] = []

    def visit(path: int, status: int, kind: int, place: int) -> int:
        found.append(place)
        return 1  # the first one will do

    _walk_files(os.fsencode(os.devnull), _VISIT(visit), 1, 0)
    return found[0] if found else None
