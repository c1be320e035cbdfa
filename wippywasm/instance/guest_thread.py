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
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import nullcontext
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from wippywasm.calling import TaskCall, WaitedFor, around
from wippywasm.engine import ending, thread_turns
from wippywasm.engine.exhausted import exhausted
from wippywasm.engine.panics import let_go
from wippywasm.instance.budget import within
from wippywasm.instance.errands import Errand, settle
from wippywasm.instance.thread_call import ThreadCall, calls
from wippywasm.threads import in_event_loop

if TYPE_CHECKING:
    from wippywasm.abi.state import ComponentInstance

Job: TypeAlias = Callable[[], None]
STACK_BYTES = 2 << 20
"""Address space for the stack of guests and host functions, as much as of wasmtime's fibers; only what they use is
memory. Where a guest uses it up, wasmer holds the interpreter while it collects all frames."""
MAX_IDLE = 32
"""How many threads without a guest are kept."""

_at_work: set[int] = set()
"""Threads with a job, waiting or not."""
_threads: weakref.WeakValueDictionary[int, GuestThread] = weakref.WeakValueDictionary()
"""By their identifiers."""
_starting = threading.Lock()
_idle: list[GuestThread] = []


class GuestThread:
    """One thread, which does jobs in order until it is released and nobody takes it."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._occupant: weakref.ref[ThreadCall] | None = None
        """The task's call, which may be collected when its event loop is gone."""
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
        try:
            self._callers.add(caller)
            with WaitedFor(outer) if outer is not None else nullcontext() as call:
                errand = Errand(function, call, lose)
                self._jobs.put(errand.execute)
                return errand.result()
        finally:
            self._callers.discard(caller)

    @property
    def is_called(self) -> bool:
        """Whether somebody waits for a call; what was posted nobody waits for."""
        return self._is_occupied() or bool(self._callers)

    def _is_occupied(self) -> bool:
        """Whether a task's call is in it. One whose event loop is closed, as after Ctrl-C, is ended."""
        occupant = self._occupant
        call = None if occupant is None else occupant()
        if call is None or not call.is_abandoned():
            return call is not None
        if self._occupant is occupant:
            self._occupant = self._loop_thread = None
        call.give_up()
        return False

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
            made = ThreadCall(asyncio.get_running_loop(), interrupt, task_call, components)
            running = self._run(made, function)
            return await (running if task_call.timeout is None else within(task_call, running, made.expire))

    async def _run(self, call: ThreadCall, function: Callable[[], Any]) -> Any:
        self.check_entry(call.components)
        put, job = self._jobs.put, partial(call.execute, function)
        occupant = weakref.ref(call)
        self._occupant, self._loop_thread = occupant, threading.get_ident()
        try:
            try:
                put(job)  # surely, when this `try` has begun: Ctrl-C comes after it
                return await call.attend()
            except BaseException as error:
                call.end(f"the task that called the guest was ended: {str(error) or type(error).__name__}")
                if not isinstance(error, GeneratorExit):
                    await call.left()
                raise
        finally:
            if self._occupant is occupant:  # here: Ctrl-C may come as a function begins
                self._occupant = self._loop_thread = None
            call.give_up()

    def check_entry(self, components: Sequence[ComponentInstance], caller: ComponentInstance | None = None) -> None:
        """Refuse a call that would wait for itself, or for somebody else's; for what was posted, such as a destructor,
        it waits, unless that led to it."""
        is_cyclic = self._waits_for_this_thread()
        if is_cyclic or self._is_occupied() or (self._callers and not all(c.may_enter for c in components)):
            self._refuse(components, caller, is_cyclic)

    def _refuse(
        self, components: Sequence[ComponentInstance], caller: ComponentInstance | None, is_cyclic: bool
    ) -> NoReturn:
        from wippywasm.abi import entry  # which threads of Lua have no use for

        if is_cyclic:
            entry.refuse_reentry()
        call = None if self._occupant is None else self._occupant()
        if call is None:
            entry.refuse_entry(components, caller)
        task = call.task
        if task is not None and in_event_loop() and task() is asyncio.current_task():
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
        for call in tuple(calls):
            call.end(ending.REASON)
        time.sleep(0.001)
