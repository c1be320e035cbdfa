"""Workers in threads of their own, so that guests run beside each other and beside the event loop.

In: a factory of workers, cores to bind threads to. Out: workers whose calls run in a thread, each with an event loop; a
worker is made, called and closed in one and the same thread. Guests run in parallel where their engine lets go of the
interpreter meanwhile: wasmtime does, wasmer does not. Spec: SPEC section 4 (`worker_class`).
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

from wippywasm.app.pools.cores import Cores, bind_thread
from wippywasm.app.pools.pool import StaticPool
from wippywasm.app.pools.worker import Worker, WorkerFactory
from wippywasm.engine.exhausted import exhausted
from wippywasm.engine.turns import this_thread

T = TypeVar("T")


class WorkerThread:
    """A thread with an event loop, bound to `core` where there is one."""

    def __init__(self, name: str, core: int | None) -> None:
        self._ended: Future[None] = Future()
        self._loop = asyncio.new_event_loop()
        self._core = core
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:
            self._loop.close()
            raise exhausted("the thread of another worker") from error

    def _run(self) -> None:
        try:
            if self._core is not None:
                bind_thread({self._core})
            asyncio.set_event_loop(self._loop)
            this_thread.is_alone = True
            self._loop.run_forever()
            self._loop.close()
        finally:
            self._ended.set_result(None)

    async def run(self, work: Callable[[], Awaitable[T]]) -> T:
        """Await something in the thread. A caller that is cancelled cancels it, and waits until it has ended there."""
        home = asyncio.get_running_loop()
        done: asyncio.Future[asyncio.Task[T]] = home.create_future()
        started: list[asyncio.Task[T]] = []

        def finish(task: asyncio.Task[T]) -> None:
            with suppress(RuntimeError):  # who waited is gone, and its loop with it
                home.call_soon_threadsafe(done.set_result, task)

        def start() -> None:
            started.append(self._loop.create_task(_awaited(work)))
            started[0].add_done_callback(finish)

        self._loop.call_soon_threadsafe(start)
        is_cancelled = False
        while not done.done():
            try:
                await asyncio.wait([done])
            except asyncio.CancelledError:
                is_cancelled = True
                self._loop.call_soon_threadsafe(lambda: started[0].cancel())
        return _outcome(done.result(), is_cancelled)

    def post(self, work: Callable[[], object]) -> None:
        """Have a function called in the thread, after what runs there now."""
        self._loop.call_soon_threadsafe(work)

    def stop(self) -> None:
        """End the thread after what runs there now."""
        self.post(self._loop.stop)

    async def ended(self) -> None:
        """Wait for the end that `stop` asked for."""
        await asyncio.wrap_future(self._ended)
        self._thread.join()


class _StoppedError(Exception):
    """What would end the thread's event loop, on its way to the caller."""


async def _awaited(work: Callable[[], Awaitable[T]]) -> T:
    try:
        return await work()
    except (KeyboardInterrupt, SystemExit) as error:
        raise _StoppedError from error


def _outcome(task: asyncio.Task[T], is_cancelled: bool) -> T:
    if task.cancelled():
        raise asyncio.CancelledError
    error = task.exception()
    if isinstance(error, _StoppedError) and error.__cause__ is not None:
        raise error.__cause__
    if is_cancelled:
        raise asyncio.CancelledError
    return task.result()


class ThreadWorker:
    """A worker that lives in a thread; `release` takes the thread back."""

    def __init__(self, thread: WorkerThread, worker: Worker, release: Callable[[WorkerThread], None]) -> None:
        self._thread = thread
        self._worker = worker
        self._release = release

    async def call(self, args: Sequence[Any]) -> Any:
        return await self._thread.run(lambda: self._worker.call(args))

    def usable_after(self, error: BaseException) -> bool:
        return self._worker.usable_after(error)

    def close(self) -> None:
        self._thread.post(self._worker.close)
        self._release(self._thread)


class ThreadFactory:
    """Makes workers in threads, and threads where none is free; they end when the factory is closed."""

    def __init__(self, name: str, factory: WorkerFactory, cores: Cores) -> None:
        self._name = name
        self._factory = factory
        self._cores = cores
        self._threads: list[WorkerThread] = []
        self._free: list[WorkerThread] = []
        self._is_closed = False

    async def make(self) -> Worker:
        thread = self._free.pop() if self._free else self._start()
        try:
            worker = await thread.run(self._factory)
        except BaseException:
            self._release(thread)
            raise
        return ThreadWorker(thread, worker, self._release)

    def _start(self) -> WorkerThread:
        number = len(self._threads)
        thread = WorkerThread(f"{self._name} {number + 1}", self._cores.core_for(number))
        self._threads.append(thread)
        return thread

    def _release(self, thread: WorkerThread) -> None:
        if self._is_closed:
            thread.stop()
        else:
            self._free.append(thread)

    def close(self) -> None:
        self._is_closed = True
        while self._free:
            self._free.pop().stop()

    async def ended(self) -> None:
        """Wait for the threads; one whose guest does not end holds this up."""
        await asyncio.gather(*(thread.ended() for thread in self._threads))


class ThreadPool(StaticPool):
    """Each worker in a thread, all made at the start; a full queue makes callers wait."""

    type = "wasm"

    def __init__(self, name: str, factory: WorkerFactory, size: int, buffer: int, cores: Cores) -> None:
        self._threads = ThreadFactory(name, factory, cores)
        super().__init__(name, self._threads.make, size, buffer)

    def close(self) -> None:
        self._threads.close()
        super().close()

    async def wait_closed(self) -> None:
        await super().wait_closed()
        await self._threads.ended()
