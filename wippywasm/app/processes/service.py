"""A supervised process: run, and run again when it fails.

In: a lifecycle, what starts the process. Out: its state; the process, as long as there is one. Spec: SPEC section 9.
"""

from __future__ import annotations

import asyncio
import enum
import logging
from collections.abc import Callable

from wippywasm.app.lifecycle import Lifecycle
from wippywasm.app.processes.events import Outcome
from wippywasm.app.processes.member import Process
from wippywasm.app.processes.processes import Processes
from wippywasm.app.processes.request import Start
from wippywasm.errors import CanceledError, TimedOutError, WippyError

log = logging.getLogger("wippywasm.services")


class State(enum.Enum):
    """What a service is doing. EXITED is the end of its own accord, FAILED that of its attempts."""

    STARTING = "starting"
    RUNNING = "running"
    WAITING = "waiting"
    STOPPING = "stopping"
    STOPPED = "stopped"
    EXITED = "exited"
    FAILED = "failed"


class Service:
    """One service, supervised from `start` to `stop`.

    `restarts` counts the attempts since it last was stable, `all_restarts` those since it was started.
    """

    def __init__(
        self, id: str, start: Start, lifecycle: Lifecycle, processes: Processes, random: Callable[[], float]
    ) -> None:
        self.id = id
        self.lifecycle = lifecycle
        self.state = State.STARTING
        self.restarts = 0
        self.all_restarts = 0
        self.process: Process | None = None
        self._start = start
        self._processes = processes
        self._random = random
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._ready.add_done_callback(_look_at)
        self._task: asyncio.Task[None] | None = None
        self._is_retired = False

    async def start(self) -> None:
        """Begin, and wait until the process runs; raises what its first start fails with, or TimedOutError."""
        self._task = asyncio.ensure_future(self._supervise())
        timer = self._processes.clock.later(self.lifecycle.start_timeout, self._too_late)
        try:
            await asyncio.shield(self._ready)
        finally:
            timer.cancel()

    def _too_late(self) -> None:
        if not self._ready.done():
            seconds = self.lifecycle.start_timeout
            self._ready.set_exception(TimedOutError(f"{self.id} did not start within {seconds:g} s"))

    async def _supervise(self) -> None:
        while not self._is_retired:
            began = self._processes.clock.now()
            outcome = await self._run_once()
            if self._ended(outcome):
                return
            if self._processes.clock.now() - began >= self.lifecycle.stable_threshold:
                self.restarts = 0
            self.restarts += 1
            if not self.lifecycle.restart.allows(self.restarts):
                log.error("%s failed, and is not started again: %s", self.id, outcome.error)
                self.state = State.FAILED
                return
            await self._back_off(outcome)

    async def _back_off(self, outcome: Outcome) -> None:
        delay = self.lifecycle.restart.delay(self.restarts, self._random)
        log.warning("%s failed, and starts again in %.3g s: %s", self.id, delay, outcome.error)
        self.state = State.WAITING
        self.all_restarts += 1
        await self._processes.clock.sleep(delay)

    async def _run_once(self) -> Outcome:
        self.state = State.STARTING
        try:
            self.process = process = self._processes.spawn(self._start)
        except WippyError as error:
            self._settle(error)
            return Outcome(error=error)
        process.ready.add_done_callback(self._is_ready)
        outcome = await process.ended
        self._settle(outcome.error if not process.ready.done() else None)
        return outcome

    def _is_ready(self, ready: asyncio.Future[None]) -> None:
        if not ready.cancelled():
            self.state = State.RUNNING
            self._settle(None)

    def _settle(self, error: Exception | None) -> None:
        """The first start came to something."""
        if self._ready.done():
            return
        if error is None:
            self._ready.set_result(None)
        else:
            self._ready.set_exception(error)

    def _ended(self, outcome: Outcome) -> bool:
        """Whether that was the end: it was stopped or retired, it returned, somebody ended it, or its error says so."""
        error = outcome.error
        if self.state is State.STOPPING:
            return True
        if error is None or self._is_retired or isinstance(error, CanceledError) or not _may_recover(error):
            if error is not None:
                log.warning("%s ended, and is not started again: %s", self.id, error)
            self.state = State.EXITED
            return True
        return False

    def retire(self) -> None:
        """Start it no more from now on: it is to be stopped, perhaps after others."""
        self._is_retired = True

    async def stop(self) -> None:
        """Ask it to end, and end it after its `stop_timeout`; waits until nothing of it is left."""
        is_running = self.process is not None and self.process.outcome is None
        ended = self.state in (State.EXITED, State.FAILED)
        self.state = self.state if ended else State.STOPPING
        if is_running and self.process is not None:
            self._processes.cancel(self.process, None, self.lifecycle.stop_timeout, "service stopping")
            await self._processes.gone(self.process)
            if self.process.is_overdue:
                log.warning("%s did not stop within %g s, and was ended", self.id, self.lifecycle.stop_timeout)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self.state = self.state if ended else State.STOPPED


def _may_recover(error: Exception) -> bool:
    return vars(error).get("retryable") is not False


def _look_at(ready: asyncio.Future[None]) -> None:
    """An error that nobody waits for any more is no mishap of the event loop."""
    if not ready.cancelled():
        ready.exception()
