"""One call of a task into a guest that runs in a thread of its own: what the two tell each other.

In: a function, which the thread calls for the task. Out: what it gives or raises; and meanwhile, what host functions
wait for, which the task awaits.

Spec: SPEC section 8.
"""

from __future__ import annotations

import asyncio
import threading
import time
import weakref
from collections.abc import Awaitable, Callable, Sequence
from contextvars import copy_context
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeAlias

from wippywasm import delivery
from wippywasm.awaitables import discard
from wippywasm.calling import TaskCall
from wippywasm.engine import ending
from wippywasm.engine.recursion import awaits_for_guests, unless_too_deep
from wippywasm.engine.turns import Held, turns_of
from wippywasm.errors import CanceledError
from wippywasm.instance.errands import told
from wippywasm.instance.handover import Handover
from wippywasm.instance.waiting import this_thread

if TYPE_CHECKING:
    from wippywasm.abi.state import ComponentInstance
    from wippywasm.abi.waiting import Finish

Outcome: TypeAlias = tuple[Any, BaseException | None]
"""What a host function's awaitable gave, or raised."""

ABANDONED_S = 0.1
"""How long who calls or closes a guest waits at most for the end of a call whose event loop is closed."""

calls: set[ThreadCall] = set()
"""Those that a thread is at."""


class ThreadCall:
    """One call: what its task and its thread tell each other. `interrupt` ends the guest where it runs.

    `drop` is for the resources in the result, where there are any, and the task does not take them.
    """

    drop: delivery.Drop | None = None
    task: weakref.ref[asyncio.Task[Any]] | None = None
    """Which may be collected, when its loop is gone."""
    _on_its_way: Outcome | None = None
    _result: Any = None
    _error: BaseException | None = None
    _ended: BaseException | None = None
    _done = _is_given_up = False

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        interrupt: Callable[[BaseException], None],
        task_call: TaskCall,
        components: Sequence[ComponentInstance],
    ) -> None:
        self.components = components
        if task_call.task is not None:
            self.task = weakref.ref(task_call.task)
        self._first = threading.Lock()
        """Taken by whoever begins it, or ends it before."""
        self._loop = loop
        self._task_call = task_call
        self._interrupt = interrupt
        self._context = copy_context()
        self._handover: Handover[Awaitable[Any] | None] = Handover(loop)
        self._reply: SimpleQueue[Outcome] = SimpleQueue()

    # ---- in the guest's thread

    def execute(self, function: Callable[[], Any]) -> None:
        if not self._first.acquire(blocking=False):
            self._done = True
            self._handover.give(None)
            return
        this_thread.wait = self._wait
        delivery.this_thread.delivery = self
        calls.add(self)
        try:
            if ending.has_begun():
                self.end(ending.REASON)
            if self._ended is not None:
                raise self._ended
            self._result = self._context.run(function)
        except BaseException as error:  # noqa: BLE001  (the task gets it)
            self._error = told(error)
        finally:
            this_thread.wait = delivery.this_thread.delivery = None
            calls.discard(self)
            if self._task_call.deadline is not None:
                self._task_call.meet()
            self._done = True
            if not self._handover.give(None) or self._is_given_up:
                self._drop()

    def _wait(self, awaitable: Awaitable[Any], finish: Finish) -> Any:
        if self._ended is not None:
            discard(awaitable)
            raise self._ended
        if self._handover.give(awaitable):
            value, error = self._reply.get()
        else:
            value, error = None, CanceledError("the event loop of the call is closed")
        if error is None:
            result = finish(value)
            if self._ended is not None:  # while the value was on its way, which is the guest's all the same
                raise self._ended
            return result
        for missed in self._handover.withdraw():  # the task was ended before it saw what to await
            if missed is not None:
                discard(missed)
        raise error

    # ---- in the task

    async def attend(self) -> Any:
        """Await what the guest waits for, until it is done."""
        since, held = time.monotonic(), None
        while (awaitable := await self._handover.take()) is not None:
            self._on_its_way = await _outcome(awaitable)
            held = held or Held(self._loop, since)
            if held.check():
                await turns_of(self._loop).rest()
            self._reply.put(self._on_its_way)
            self._on_its_way = None
        self.drop = None
        if self._error is not None:
            raise unless_too_deep(self._error)
        return self._result

    def end(self, reason: str) -> None:
        """The guest is to end: nobody is there for it any more."""
        if self._done or self._ended is not None:
            return
        # Not the task's own error: that one's traceback would lead to the guest's frames.
        self._ended = CanceledError(reason)
        if self._first.acquire(blocking=False):  # the guest is as it was, and so are the arguments
            return
        self._reply.put(self._on_its_way or (None, self._ended))
        if self._task_call.ended() is None:
            self._task_call.end(self._ended)
        self._interrupt(self._task_call.ended() or self._ended)

    def expire(self, timeout: BaseException) -> None:
        """Its time is up: the task is about to be cancelled, and so to `end` this."""
        if self._first.acquire(blocking=False):
            self._ended = timeout
        else:
            self._interrupt(timeout)

    async def left(self) -> None:
        """Wait until the guest has ended, however often the task is cancelled meanwhile."""
        while not self._done:  # nor is there more to take then: Ctrl-C may have come when all was taken
            try:
                missed = await self._handover.take()
            except asyncio.CancelledError:
                self._task_call.is_canceled_again = True
                continue
            if missed is not None:  # the task was cancelled before it saw what to await
                discard(missed)

    def is_abandoned(self) -> bool:
        """Whether its task can't go on any more, and the guest has ended as it should: that may take a moment."""
        if not self._loop.is_closed():
            return False
        self.end("the event loop of the call is closed")
        until = time.monotonic() + ABANDONED_S
        while not self._done and time.monotonic() < until:
            time.sleep(0.001)
        return self._done

    def give_up(self) -> None:
        """The task is gone, or has the result: nobody takes what is left of it, or will be."""
        self._is_given_up = True
        if self._done and self.drop is not None:  # each looks after it has said so: one of the two drops it
            self._drop()

    def _drop(self) -> None:
        # Nothing may come between these two: see `abi.entry`.
        drop, self.drop = self.drop, None
        if drop is not None:
            drop(self._tell)

    def _tell(self, error: Exception) -> None:
        message = "a resource in a result that nobody waits for any more was not dropped properly"
        self._loop.call_exception_handler({"message": message, "exception": error})


@awaits_for_guests
async def _outcome(awaitable: Awaitable[Any]) -> Outcome:
    """What an awaitable gave or raised; that the task is to end is not the guest's to handle."""
    try:
        return await awaitable, None
    except (asyncio.CancelledError, GeneratorExit, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001  (it unwinds the guest)
        return None, error
