"""A thread that guests run in, one call at a time: how a guest is suspended where there are no fibers.

In: functions to call. Out: their results, to a task that awaits them. While the guest runs, the task waits; when a host
function waits, the guest's thread does, and the task awaits what the function returned. So exactly one of the two is at
work, and no thread with an event loop ever blocks. What context variables say to the caller, they say here too. A task
that gives up waits until the guest has left the thread: till then its instance is not idle, and not to be thrown away.

Threads are kept for the next guest when theirs is closed, since what an engine loaded for a thread stays with it.

Spec: SPEC section 8; DESIGN section 3.
"""

from __future__ import annotations

import asyncio
import atexit
import threading
import time
import weakref
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from contextlib import nullcontext
from contextvars import copy_context
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from wippywasm import delivery
from wippywasm.awaitables import discard
from wippywasm.calling import TaskCall, WaitedFor, around
from wippywasm.engine import ending, thread_turns
from wippywasm.engine.exhausted import exhausted
from wippywasm.engine.panics import let_go
from wippywasm.engine.recursion import awaits_for_guests, unless_too_deep
from wippywasm.engine.turns import Held, turns_of
from wippywasm.errors import CanceledError
from wippywasm.instance.budget import within
from wippywasm.instance.errands import Errand, settle, told
from wippywasm.instance.handover import Handover
from wippywasm.instance.waiting import this_thread
from wippywasm.threads import in_event_loop

if TYPE_CHECKING:
    from wippywasm.abi.state import ComponentInstance
    from wippywasm.abi.waiting import Finish

Job: TypeAlias = Callable[[], None]
Outcome: TypeAlias = tuple[Any, BaseException | None]
"""What a host function's awaitable gave, or raised."""

STACK_BYTES = 2 << 20
"""Address space for the stack of guests and host functions, as much as of wasmtime's fibers; only what they use is
memory. Where a guest uses it up, wasmer holds the interpreter while it collects all frames."""
MAX_IDLE = 32
"""How many threads without a guest are kept."""

_at_work: set[int] = set()
"""Threads with a job, waiting or not."""
_calls: set[_Call] = set()
_threads: weakref.WeakValueDictionary[int, GuestThread] = weakref.WeakValueDictionary()
"""By their identifiers."""
_starting = threading.Lock()
_idle: list[GuestThread] = []


class GuestThread:
    """One thread, which does jobs in order until it is released and nobody takes it."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._occupant: weakref.ref[asyncio.Task[Any]] | None = None
        self._callers: set[int] = set()
        self._loop_thread: int | None = None
        """That of the task which waits for it."""
        weakref.finalize(self, self._jobs.put, None).atexit = False
        with _starting:
            before = threading.stack_size(STACK_BYTES)
            try:
                thread = threading.Thread(target=_work, args=(self._jobs,), name="wippywasm guest", daemon=True)
                thread.start()
                self._thread = weakref.ref(thread)
                _threads[thread.ident or 0] = self
            except RecursionError:
                raise
            except RuntimeError as error:
                raise exhausted("the thread of another guest") from error
            finally:
                threading.stack_size(before)

    def do(self, function: Callable[[], Any], lose: Callable[[Any], None] | None = None) -> Any:
        """Call a function in this thread while the calling one waits; `lose` gets the result where that waits no more.

        Where an event loop runs in the calling thread, no host function may wait for something meanwhile.
        """
        if threading.current_thread() is self._thread():
            return function()
        caller = threading.get_ident()
        outer = around()
        self._callers.add(caller)
        try:
            with WaitedFor(outer) if outer is not None else nullcontext() as call:
                errand = Errand(function, call, lose)
                self._jobs.put(errand.execute)
                return errand.result()
        finally:
            self._callers.discard(caller)

    @property
    def is_called(self) -> bool:
        """Whether somebody waits for a call; what was posted nobody waits for."""
        return self._occupant is not None or bool(self._callers)

    def post(self, function: Callable[..., Any], *args: Any) -> None:
        """Call a function in this thread when its turn comes; nobody waits for it, or handles its errors."""
        self._jobs.put(lambda: settle(Future(), function, args))

    async def run(
        self,
        function: Callable[[], Any],
        interrupt: Callable[[BaseException], None],
        components: Sequence[ComponentInstance] = (),
        call: TaskCall | None = None,
    ) -> Any:
        """Call a function in this thread; what host functions wait for meanwhile is awaited here.

        Where this task is cancelled while the guest runs, `interrupt` gets what the guest is to be ended with, and the
        task goes on when it has ended. A call into a guest, which has these components, is refused while there is
        another, which it would only wait for. `call` says how long it may take: raises its timeout then.
        """
        task_call = call or TaskCall()
        with task_call:
            made = _Call(asyncio.get_running_loop(), interrupt, task_call, components)
            running = self._run(made, function)
            return await (running if task_call.timeout is None else within(task_call, running, made.expire))

    async def _run(self, call: _Call, function: Callable[[], Any]) -> Any:
        self.check_entry(call.components)
        self._occupant, self._loop_thread = call.task, threading.get_ident()
        try:
            self._jobs.put(lambda: call.execute(function))
            try:
                return await call.attend()
            except BaseException as error:
                call.end(f"the task that called the guest was ended: {str(error) or type(error).__name__}")
                if not isinstance(error, GeneratorExit):
                    await call.left()
                raise
        finally:
            self._occupant = self._loop_thread = None
            call.give_up()

    def check_entry(self, components: Sequence[ComponentInstance], caller: ComponentInstance | None = None) -> None:
        """Refuse a call that would wait for itself, or for somebody else's; for what was posted, such as a destructor,
        it waits, unless that led to it."""
        is_cyclic = self._waits_for_this_thread()
        if is_cyclic or self._occupant is not None or (self._callers and not all(c.may_enter for c in components)):
            self._refuse(components, caller, is_cyclic)

    def _refuse(
        self, components: Sequence[ComponentInstance], caller: ComponentInstance | None, is_cyclic: bool
    ) -> NoReturn:
        from wippywasm.abi import entry  # which threads of Lua have no use for

        if is_cyclic:
            entry.refuse_reentry()
        if self._occupant is None:
            entry.refuse_entry(components, caller)
        if in_event_loop() and self._occupant() is asyncio.current_task():
            entry.refuse_reentry()
        entry.refuse_waiting()

    def _waits_for_this_thread(self) -> bool:
        """Whether it does, or for another that does, or is this thread itself."""
        seen, pending = set(), [threading.get_ident()]
        while pending:
            thread = _threads.get(pending.pop())
            if thread is self:
                return True
            if thread is not None and thread not in seen:
                seen.add(thread)
                pending += thread._callers.copy()
                if thread._loop_thread is not None:
                    pending.append(thread._loop_thread)
        return False

    def release(self) -> None:
        """Give the thread back, once it has done its jobs: its guest is closed."""
        self.post(self.keep)

    def keep(self) -> None:
        """Give back a thread that has no jobs."""
        if len(_idle) < MAX_IDLE:
            _idle.append(self)
        else:
            self.end()

    def end(self) -> None:
        """End the thread, which nobody uses any more, whoever still knows of it."""
        self._jobs.put(None)


def take_thread() -> GuestThread:
    """An idle thread, or a new one."""
    try:
        return _idle.pop()
    except IndexError:
        return GuestThread()


def _work(jobs: SimpleQueue[Job | None]) -> None:
    thread_turns.join()
    while (job := jobs.get()) is not None:
        _at_work.add(threading.get_ident())
        held = [job]
        del job
        try:
            held[0]()
        except BaseException:  # noqa: BLE001  (nobody can be told: there is no memory for it)
            pass
        let_go(held)
        thread_turns.leave()
        _at_work.discard(threading.get_ident())
    thread_turns.part()


@atexit.register
def _end_last() -> None:
    ending.begin()
    deadline = time.monotonic() + ending.LAST_SECONDS
    while _at_work and time.monotonic() < deadline:
        for call in tuple(_calls):
            call.end(ending.REASON)
        time.sleep(0.001)


class _Call:
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
    _done = _is_over = _is_given_up = False

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
        _calls.add(self)
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
            _calls.discard(self)
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
        self._is_over = True
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
        while not self._is_over:
            try:
                missed = await self._handover.take()
            except asyncio.CancelledError:
                self._task_call.is_canceled_again = True
                continue
            if missed is None:
                self._is_over = True
            else:  # the task was cancelled before it saw what to await
                discard(missed)

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
