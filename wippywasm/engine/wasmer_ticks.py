"""Interruptions on wasmer, which has none: modules are rewritten to count, and to call a tick when the count is spent.

In: a store and a new instance of a rewritten module. Out: the instance with the tick in place. It gives the next count,
so that ticks come about every `TICK_SECONDS` of a guest that spins. Where the guest has spun for a slice, or has no
turn, the tick lets other threads run and waits for its turn; like every call to the host it ends the guest whose call
is out of time or has been ended.
"""

from __future__ import annotations

import atexit
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from wippywasm.calling import around
from wippywasm.engine import ending, rewrite, thread_turns
from wippywasm.engine.spans import Span, Spans

if TYPE_CHECKING:
    from wippywasm.engine.wasmer_items import WasmerFunc
    from wippywasm.engine.wasmer_store import WasmerStore

TICK_SECONDS = 0.005
LEAST, MOST = 1_000, 8_000_000
"""Bounds of a count. The most is what the shortest loop takes 10 ms for. A guest that has been through such a loop can
spend a second or two, once, on code that takes as long for its cost as code can."""

atexit.register(ending.end_guests)


class Clock:
    """When the guest of a store is to be ended.

    `is_armed` says that calls to the host have to `check`; `spans` has the calls that have been started.
    """

    __slots__ = ("_count", "_is_nudged", "_last", "_since", "_turn", "is_armed", "spans")

    def __init__(self) -> None:
        self.spans = Spans()
        self._is_nudged = False
        self._count = LEAST
        self._last = 0.0
        self._since = time.monotonic()
        """When this guest began, or last let others compute."""
        self._turn = thread_turns.Turn()
        self.is_armed = False

    def start(self, span: Span) -> None:
        """End the guest when the span is to end."""
        if not self.spans:
            self._is_nudged = False
            self._since = time.monotonic()
        self.spans.begin(span)
        self._arm()

    def stop(self, span: Span) -> None:
        """The other end of `start`."""
        self.spans.end(span)
        self._arm()

    def _arm(self) -> None:
        self.is_armed = self._is_nudged or self.spans.are_bounded

    def nudge(self) -> None:
        """Have whoever runs look whether its call has ended, when it next calls the host or is out of counts; one that
        waits for its turn looks now."""
        self._is_nudged = self.is_armed = True
        self._turn.wake()

    def check(self) -> None:
        """Raise what the guest is to end with, where it is. While the host works, it is another guest's turn."""
        thread_turns.leave()
        self._raise_end()
        self._arm()

    def _raise_end(self) -> None:
        error = self.spans.overdue()
        if error is None and self._is_nudged:
            call = around()
            error = None if call is None else call.ended()
        if error is not None:
            raise error

    def tick(self) -> int:
        """The next count."""
        now = time.monotonic()
        spent = now - self._last
        factor = 2.0 if spent < TICK_SECONDS / 2 else TICK_SECONDS / spent
        self._count = int(min(max(self._count * factor, LEAST), MOST))
        is_new = now - self._since < TICK_SECONDS / 2
        if not is_new or not thread_turns.is_up():
            self._rest(is_new)
        self._last = time.monotonic()
        return self._count

    def _rest(self, is_new: bool) -> None:
        """Let others compute: all threads, where this one has for a while, and the guests before this one."""
        if not is_new:
            thread_turns.let_others(TICK_SECONDS)
        self._raise_end()  # whoever waits for that waits for no turn
        left = self.spans.time_left()
        self._turn.take(None if left is None else left[0], is_new)
        self.is_armed = True  # to give the turn back
        self._raise_end()
        ending.check()
        self._since = time.monotonic()


class Unarmed:
    """The clock for the entry of the tick itself, which does all checks; a `Clock` gives back the turn just taken."""

    is_armed = False


def place(store: WasmerStore, table: object, functions: Sequence[WasmerFunc]) -> None:
    """Put the host's functions into the table of a rewritten instance."""
    types = tuple(function.type for function in functions)
    store.link(store.engine.compile_own(rewrite.placing_module(types)), [table, *functions])
