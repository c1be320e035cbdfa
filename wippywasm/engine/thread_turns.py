"""Turns of guests that hold the interpreter while they compute: other threads wait for one of them, not for all.

In: threads that run guests (`join`), whose guests `take` a turn whenever they have had the interpreter for a while.
Out: they go on one at a time, in the order in which they came; newcomers, most of which need little, have every other
turn. Between two turns all other threads have the interpreter for as long as they want it, up to a slice. Without that
every thread that waits for it, an event loop's among them, has the same chance at each change, and now and then one
waits for long.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import suppress
from typing import TypeAlias

Waiter: TypeAlias = tuple[int, threading.Lock]

PROBE_SECONDS = 0.00005
"""How long a guest stays away to find out whether others want the interpreter: a thread needs that to wake up."""
FREE_SECONDS = 0.0003
"""Who is back by then had not to wait for the interpreter."""

_guard = threading.Lock()
_members: set[int] = set()
_newcomers: deque[Waiter] = deque()
_waiting: deque[Waiter] = deque()
_holder: int | None = None
_was_newcomer = False
"""Whether the last turn was a newcomer's."""


def join() -> None:
    """Guests of this thread take turns from now on."""
    _members.add(threading.get_ident())


def part() -> None:
    """The other end of `join`."""
    leave()
    _members.discard(threading.get_ident())


def leave() -> None:
    """This thread does not compute for now: it is another's turn."""
    if _holder == threading.get_ident():  # which only this thread makes so, unless it waits
        with _guard:
            _hand_over()


def is_up() -> bool:
    """Whether the guest of this thread may compute: it has the turn, or takes none."""
    me = threading.get_ident()
    return _holder == me or me not in _members


def let_others(seconds: float) -> None:
    """Let other threads have the interpreter while they want it, for about so long at the most.

    What they do may pass from one thread to another and back. So after it had to wait for them, a guest is away twice,
    lest it takes the interpreter, for a slice, from one that is just being woken.
    """
    if threading.active_count() == 1:
        return
    before = time.monotonic()
    end = before + seconds
    probes = 1
    while probes:
        time.sleep(PROBE_SECONDS)
        now = time.monotonic()
        if now > end:
            return
        probes = probes - 1 if now - before < FREE_SECONDS else 2
        before = now


def _hand_over() -> None:
    global _holder, _was_newcomer
    _holder = None
    if not _newcomers and not _waiting:
        return
    _was_newcomer = bool(_newcomers) and not (_was_newcomer and _waiting)
    _holder, gate = (_newcomers if _was_newcomer else _waiting).popleft()
    with suppress(RuntimeError):  # woken already
        gate.release()


class Turn:
    """What one guest waits with for its turns."""

    __slots__ = ("_gate",)

    def __init__(self) -> None:
        self._gate: threading.Lock | None = None

    def take(self, seconds: float | None, is_new: bool = False) -> None:
        """Wait until it is this one's turn, or woken, or for so long; not at all where this thread takes no turns."""
        me = threading.get_ident()
        if me not in _members:
            return
        line = _newcomers if is_new else _waiting
        gate = self._line_up(me, line)
        if gate is None:
            return
        gate.acquire(timeout=threading.TIMEOUT_MAX if seconds is None else max(seconds, 0.0))
        self._gate = None
        with _guard, suppress(ValueError):  # it is this one's turn
            line.remove((me, gate))

    def _line_up(self, me: int, line: deque[Waiter]) -> threading.Lock | None:
        """The lock to wait at, unless nobody else wants the turn."""
        global _holder
        with _guard:
            if not _newcomers and not _waiting and _holder in (me, None):
                _holder = me
                return None
            gate = threading.Lock()
            gate.acquire()
            self._gate = gate
            line.append((me, gate))
            if _holder == me or _holder is None:
                _hand_over()
            return gate

    def wake(self) -> None:
        """Let the guest go on at once, if it waits."""
        gate = self._gate
        if gate is not None:
            with suppress(RuntimeError):  # it goes on already
                gate.release()
