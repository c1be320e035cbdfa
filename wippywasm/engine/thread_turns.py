"""Turns of guests that hold the interpreter while they compute: other threads wait for one of them, not for all.

In: threads that run guests (`join`), whose guests `take` a turn whenever they have had the interpreter for a while.
Out: they go on one at a time, in the order in which they came. Without that every thread that waits for the
interpreter, an event loop's among them, has the same chance at each change, and now and then one waits for long.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import suppress

_guard = threading.Lock()
_members: set[int] = set()
_waiting: deque[tuple[int, threading.Lock]] = deque()
_holder: int | None = None


def join() -> None:
    """Guests of this thread take turns from now on."""
    _members.add(threading.get_ident())


def part() -> None:
    """The other end of `join`."""
    leave()
    _members.discard(threading.get_ident())


def leave() -> None:
    """This thread does not compute for now: it is another's turn."""
    with _guard:
        if _holder == threading.get_ident():
            _hand_over()


def _hand_over() -> None:
    global _holder
    _holder = None
    if _waiting:
        _holder, gate = _waiting.popleft()
        with suppress(RuntimeError):  # woken already
            gate.release()


class Turn:
    """What one guest waits with for its turns."""

    __slots__ = ("_gate",)

    def __init__(self) -> None:
        self._gate: threading.Lock | None = None

    def take(self, seconds: float | None) -> bool:
        """Let other threads run, and wait until it is this one's turn, or woken, or for so long.

        False where this thread takes no turns.
        """
        me = threading.get_ident()
        if me not in _members:
            time.sleep(0)
            return False
        gate = self._line_up(me)
        if gate is None:
            time.sleep(0)
            return True
        gate.acquire(timeout=threading.TIMEOUT_MAX if seconds is None else max(seconds, 0.0))
        self._gate = None
        with _guard, suppress(ValueError):  # it is this one's turn
            _waiting.remove((me, gate))
        return True

    def _line_up(self, me: int) -> threading.Lock | None:
        """The lock to wait at, unless nobody else wants the turn."""
        global _holder
        with _guard:
            if not _waiting and _holder in (me, None):
                _holder = me
                return None
            gate = threading.Lock()
            gate.acquire()
            self._gate = gate
            _waiting.append((me, gate))
            if _holder == me or _holder is None:
                _hand_over()
            return gate

    def wake(self) -> None:
        """Let the guest go on at once, if it waits."""
        gate = self._gate
        if gate is not None:
            with suppress(RuntimeError):  # it goes on already
                gate.release()
