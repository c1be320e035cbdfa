"""Long lists in pieces: work of the host's own that a call's time counts as well as the guest's.

In: what a loop of generated code goes through, and the `Allowance` of its call. Out: the same items; between pieces the
allowance may end the call. Only lists of many elements come here, and the pieces are joined in C: short lists cost a
comparison, long ones next to nothing.

Reading for a task may have to make room for other tasks: see `elsewhere`.

Spec: SPEC section 6 (`max_execution_ms`), section 8.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import copy_context
from itertools import chain
from typing import TYPE_CHECKING, Any

from wippywasm.abi.host_values import NAN
from wippywasm.abi.parts import may_be_long
from wippywasm.abi.state import Allowance, ComponentInstance
from wippywasm.layout import elem_size
from wippywasm.model import ValType

if TYPE_CHECKING:
    import asyncio  # whose import takes longer than to run a guest: where an event loop runs, somebody has imported it

MOST = 1024
"""Elements of a piece."""
MOST_NESTED = 256
"""The same where elements have lists of their own."""
MOST_BYTES = 1 << 16
MOST_NUMBERS = 1 << 16
FEW_BOOLS = 16
"""So many bools are read one by one sooner than together."""
PATIENCE = 0.01
"""Seconds that a task may read before it makes room for others."""


def piece_of(element: ValType) -> int:
    """How many elements of a list are read or written at a time; a list of fewer takes no heed of the clock."""
    most = MOST_NESTED if may_be_long(element) else MOST
    return max(1, min(most, MOST_BYTES // elem_size(element)))


def in_pieces(cx: Allowance | None, items: Sequence[Any], piece: int) -> Iterable[Any]:
    """The items of a sequence; calls that keep no count (`cx` is None) have values of the host's own."""
    return items if cx is None else chain.from_iterable(_pieces(cx, items, piece))


def paced(short: str, n: str, piece: int, long: str) -> str:
    """The expression for one of two iterables of generated code, by the length in `n`, which may be a number."""
    if n.isdecimal():
        return short if int(n) < piece else long
    return f"({short} if {n} < {piece} else {long})"


def _pieces(cx: Allowance, items: Any, piece: int) -> Iterator[Any]:
    for at in range(0, len(items), piece):
        cx.pause()
        yield items[at : at + piece]


def rows_in_pieces(
    cx: Allowance, unpack: Callable[[bytes], Iterator[Any]], rows: memoryview, step: int
) -> Iterator[Any]:
    """What `iter_unpack` gives for some memory, `step` bytes (a multiple of a row's) at a time.

    It goes through a copy of them: CPython crashes when the garbage collector comes to a view of memory before it comes
    to an iterator over that.
    """
    return chain.from_iterable(map(unpack, map(memoryview.tobytes, _pieces(cx, rows, step))))


def numbers_in_pieces(
    cx: Allowance, numbers: array[Any], listed: Callable[[array[Any]], list[Any]] = array.tolist
) -> list[Any]:
    """The list of an array's numbers."""
    return list(chain.from_iterable(map(listed, _pieces(cx, numbers, MOST_NUMBERS))))


def floats(numbers: array[float]) -> list[float]:
    """The list of an array's floats, of which each NaN is the canonical one."""
    found = numbers.tolist()
    total = sum(found)  # a NaN, where one of them is
    return found if total == total else [n if n == n else NAN for n in found]


_TRUTH = bytes([0]) + bytes([1]) * 255


def bools(cx: Allowance | None, memory: memoryview) -> list[bool]:
    """The bools that bytes of some memory stand for."""
    if len(memory) < FEW_BOOLS:
        return [byte != 0 for byte in memory]
    if cx is None or len(memory) < MOST_NUMBERS:
        return _bools(memory)
    return list(chain.from_iterable(map(_bools, _pieces(cx, memory, MOST_NUMBERS))))


def _bools(memory: memoryview) -> list[bool]:
    found: list[Any] = memoryview(memory.tobytes().translate(_TRUTH)).cast("?").tolist()
    return found


class LongReading(BaseException):
    """A task has read for as long as it may: the reading starts again `elsewhere`."""


class TaskAllowance(Allowance):
    """The allowance of a task's call. From when `reading` is set on, it bears with it only for so long."""

    __slots__ = ("reading", "until")

    def __init__(self, inst: ComponentInstance) -> None:
        super().__init__(inst)
        self.reading = False
        self.until: float | None = None

    def pause(self) -> None:
        if self.reading:
            now = time.monotonic()
            if self.until is None:
                self.until = now + PATIENCE
            elif now > self.until:
                raise LongReading
        super().pause()


class _ThreadAllowance(Allowance):
    """The allowance of a reading in a thread, which ends once it is `stopped`."""

    __slots__ = ("stopped",)

    def __init__(self, inst: ComponentInstance) -> None:
        super().__init__(inst)
        self.stopped = False

    def pause(self) -> None:
        if self.stopped:
            raise LongReading
        super().pause()


async def elsewhere(
    read: Callable[..., Any], memory: memoryview, end: int, result: int, inst: ComponentInstance
) -> Any:
    """A reading without handles, begun again in a thread; the event loop goes on meanwhile.

    The guest is entered, so nothing else moves its memory; a cancelled task waits until the thread has let go of it.
    """
    import asyncio

    cx = _ThreadAllowance(inst)
    reading = asyncio.get_running_loop().run_in_executor(None, copy_context().run, read, memory, end, result, cx)
    try:
        return await asyncio.shield(reading)
    except asyncio.CancelledError:
        cx.stopped = True
        await _ended(reading)
        raise


async def _ended(reading: asyncio.Future[Any]) -> None:
    """Wait for a thread that will end soon, however often the task is cancelled meanwhile; what it read is dropped."""
    import asyncio

    while not reading.done():
        try:
            await asyncio.wait([reading])
        except asyncio.CancelledError:
            continue
    reading.exception()
