"""What a thread does for another that waits for it, or for nobody.

In: functions to call in a guest's thread. Out: what they give or raise, for the thread that waits; whoever is to wait
for others to be done may end before its turn comes, and has done nothing then.

Spec: SPEC section 8.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent import futures
from concurrent.futures import Future
from contextlib import suppress
from contextvars import copy_context
from threading import Lock
from typing import Any

from wippywasm.calling import Call, current
from wippywasm.engine.panics import unless_panic
from wippywasm.instance.tracebacks import clear_frames
from wippywasm.instance.waiting import refuse_to_wait, this_thread
from wippywasm.threads import in_event_loop

LOOK_SECONDS = 0.02
"""How often a thread that waits for a guest in which others are before it looks whether its own call has ended."""


class Errand:
    """What a thread does for another, which waits for it, within `call`, if any.

    `lose` is for what it gives, where nobody waits for that any more.
    """

    def __init__(
        self, function: Callable[[], Any], call: Call | None, lose: Callable[[Any], None] | None = None
    ) -> None:
        self._function = function
        self._lose = lose
        self._is_left = False
        self._call = call
        self._first = Lock()
        """Taken by whoever begins it, or gives it up before."""
        self._has_begun = False
        self._wait = refuse_to_wait if in_event_loop() else this_thread.wait
        self._context = copy_context()
        self._context.run(current.set, call)
        self._outcome: Future[Any] = Future()

    def execute(self) -> None:
        if self._first.acquire(blocking=False):
            self._has_begun = True
            settle(self._outcome, self._context.run, (self._run,))
            if self._is_left:  # each looks after it has said so: one of the two loses it
                self._drop()

    def _run(self) -> Any:
        this_thread.wait = self._wait
        try:
            return self._function()
        finally:
            this_thread.wait = None

    def result(self) -> Any:
        """What it gives, or raises; as long as others are before it, it may end with the call as well.

        Once this raises, it does not begin any more.
        """
        try:
            return self._awaited()
        except BaseException:
            if not self._first.acquire(blocking=False):
                self._is_left = True
                self._drop()
            raise

    def _drop(self) -> None:
        if self._outcome.done() and self._outcome.exception() is None:
            # Nothing may come between these two: see `abi.entry`.
            lose, self._lose = self._lose, None
            if lose is not None:
                lose(self._outcome.result())

    def _awaited(self) -> Any:
        call = self._call
        while call is not None and not self._has_begun and not self._outcome.done():
            with suppress(TimeoutError, futures.TimeoutError):
                return self._outcome.result(LOOK_SECONDS)
            error = call.ended()
            if error is not None and self._first.acquire(blocking=False):
                raise error
        return self._outcome.result()


def settle(outcome: Future[Any], function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    try:
        result = function(*args)
    except BaseException as error:  # noqa: BLE001  (whoever asked gets it)
        outcome.set_exception(told(error))
    else:
        outcome.set_result(result)


def told(error: BaseException) -> BaseException:
    """What whoever asked gets for it, if there is memory for that; else `error` as it is."""
    try:
        clear_frames(error)
        return unless_panic(error)
    except MemoryError:
        return error
