"""Allocations for what a guest waited for, made while it is suspended: each is a call on a fiber of its own.

In: the steps of lowering a value, which say what they need memory for, and how to get it. Out: the core results.
The calls are made and polled from the continuation of the suspended call, on its stack, as asynchronous host functions
of Rust may call their caller; so an allocation that takes long is suspended, and the event loop goes on.

Reference: wasmtime's `async.h`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from ctypes import c_size_t, c_void_p
from typing import TYPE_CHECKING, Any, TypeAlias

from wippywasm.engine import wasmtime_capi as capi
from wippywasm.engine.wasmtime_items import WasmtimeFunc
from wippywasm.errors import Trap

if TYPE_CHECKING:
    from wippywasm.engine.wasmtime_store import WasmtimeStore

Needed: TypeAlias = tuple[Any, list[int], Callable[[int, int], int], Callable[[], tuple[Sequence[int], Any]]]
"""`realloc`; the requests for it (`alignment << 32 | size`); what traps where a request got a wrong pointer; and what
does them all at once, never suspended: its first item is the pointers."""
Steps: TypeAlias = Callable[[Any], Generator[Needed, Sequence[int], Any]]
"""The value -> what yields its needs, gets the pointers, and returns the results."""
AT_ONCE = 3
"""So many requests are done at once in less time, where the guest has not been slow there of late."""


class Place:
    """Where the arguments and the result of an allocation lie: a store has one place, for one at a time."""

    __slots__ = ("_block", "arguments", "numbers", "out")

    def __init__(self) -> None:
        block = self._block = capi.block(16 + 5 * capi.VAL_SIZE)
        for index in range(5):
            block.view()[16 + index * capi.VAL_SIZE] = capi.I32
        first = block.address + 16
        self.arguments: tuple[Any, ...] = (
            c_void_p(first),
            c_size_t(4),
            c_void_p(first + 4 * capi.VAL_SIZE),
            c_size_t(1),
            c_void_p(block.address),
            c_void_p(block.address + 8),
        )
        self.numbers = block.view().cast("I")
        self.out = block.view(0, 16).cast("Q")
        """The trap and the error of a call."""


_ALIGNMENT, _SIZE, _POINTER = ((16 + k * capi.VAL_SIZE + capi.VAL_OF) // 4 for k in (2, 3, 4))
"""Where they are among the numbers of a place; what is before them stays 0."""


class Allocations:
    """Those for one value."""

    def __init__(self, store: WasmtimeStore, place: Place, steps: Generator[Needed, Sequence[int], Any]) -> None:
        self._store = store
        self._steps = steps
        self._requests: list[int] = []
        self._pointers: list[int] = []
        self._realloc: WasmtimeFunc | None = None
        self._place = place

    def begin(self) -> bool:
        """Whether there is something to allocate step by step; else `end` may be called where the guest goes on."""
        self._realloc, self._requests, self._look, self._all = next(self._steps)
        return 0 < len(self._requests) < AT_ONCE or bool(self._requests and self._store.running.nested)

    def end(self, _: Any = None) -> Any:
        """The results. Where there are none the steps end by the error: they give back what was on its way."""
        try:
            self._steps.send(self._pointers or self._all()[0])
        except StopIteration as done:
            return done.value
        except BaseException as error:
            self._steps.throw(error)
            raise
        raise AssertionError("steps that do not end")

    def close(self) -> None:
        """End the steps where they are: the guest is not going on."""
        self._steps.close()

    def advance(self) -> bool:
        """Go on, until all is there (true), or the guest has used up a slice."""
        running = self._store.running
        while len(self._pointers) < len(self._requests):
            if not running.inner_future:
                self._start(self._requests[len(self._pointers)])
            if not capi.future_poll(running.inner_future):
                return False
            self._take()
        return True

    def _start(self, request: int) -> None:
        assert self._realloc is not None
        place, store = self._place, self._store
        place.out[0] = place.out[1] = 0
        place.numbers[_ALIGNMENT] = request >> 32
        place.numbers[_SIZE] = request & 0xFFFF_FFFF
        store.running.inner_future = capi.func_call_async(store.context, self._realloc.handle, *place.arguments)

    def _take(self) -> None:
        self._store.running.end_inner()
        trap, error = self._place.out
        if trap or error:
            raise self._store.failure(error, trap)
        pointer = self._place.numbers[_POINTER]
        try:
            self._look(self._requests[len(self._pointers)], pointer)
        except Trap as wrong:
            self._steps.throw(wrong)
        self._pointers.append(pointer)
