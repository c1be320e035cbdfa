"""The end of the interpreter while guests run in threads that it does not wait for.

In: that it has come. Out: guests that look now and then whether it has (`check`) end; those of wasmer are waited for,
since what comes back from one into a finalized interpreter aborts the process. No other begins meanwhile: a call looks
when it can already be seen on its thread's stack.
"""

from __future__ import annotations

import sys
import threading
import time

from wippywasm.calling import under_way
from wippywasm.engine.codegen import callers, filename_of
from wippywasm.errors import CanceledError

LAST_SECONDS = 2.0
"""How long the interpreter waits for guests, which it tells to end."""
GUEST_CALL = "guest call"
"""The name of generated code that calls a guest."""
REASON = "the interpreter ends"
_GUEST_CALLS = filename_of(GUEST_CALL)
begun: list[None] = []
"""Whether it has come, for code that can't afford to ask."""


def begin() -> None:
    """It has come."""
    if not begun:
        begun.append(None)
        under_way.append(None)  # so that calls look


def has_begun() -> bool:
    """Whether it has come."""
    return bool(begun)


def check() -> None:
    """Raise what a guest is to end with, where it has come. Guests of the main thread are called by what comes last."""
    if begun and threading.current_thread() is not threading.main_thread():
        raise CanceledError(REASON)


def end_guests() -> None:
    """Tell the guests of other threads to end, and wait for them; to be called when the interpreter exits."""
    begin()
    deadline = time.monotonic() + LAST_SECONDS
    while _guests_run() and time.monotonic() < deadline:
        time.sleep(0.001)


def _guests_run() -> bool:
    me = threading.get_ident()
    return any(
        frame.f_code.co_filename.startswith(_GUEST_CALLS)
        for thread, innermost in sys._current_frames().items()
        if thread != me
        for frame in callers(innermost)
    )
