"""The processes of one app: made, told, ended.

In: requests to start and to end. Out: live processes, each a task of the event loop with a worker of its own; what they
are told of each other. Spec: SPEC section 9.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from typing import Any

from wippywasm.app.context import entered
from wippywasm.app.entry import Entry
from wippywasm.app.kinds.processes import HOSTS, PROCESSES
from wippywasm.app.pools.chain import resumed
from wippywasm.app.processes.clock import Clock, LoopClock
from wippywasm.app.processes.events import Outcome, cancel_event, outdated_event
from wippywasm.app.processes.host import Host, host_of
from wippywasm.app.processes.mailbox import Mailbox, Message, size_of
from wippywasm.app.processes.member import Member, Process
from wippywasm.app.processes.request import Bond, Start
from wippywasm.app.processes.running import run_program
from wippywasm.app.processes.table import Table
from wippywasm.app.processes.upgrades import Upgraded, sources_of
from wippywasm.app.processes.world import World
from wippywasm.app.suggest import did_you_mean_id
from wippywasm.errors import CanceledError, InternalError, InvalidError, NotFoundError, UnavailableError, with_article

_KILLED = 5.0
"""Seconds that `close` waits for tasks that were cancelled."""


class Processes:
    """Belongs to the event loop that it is used in. Nothing here asks security: `actions.Actions` does.

    `lost` is the first error that ended a process and that no program may catch; `on_lost` is told of each.
    """

    def __init__(self, world: World, clock: Clock | None = None) -> None:
        self.clock = clock or LoopClock()
        self.table = Table(self._ended)
        self.lost: BaseException | None = None
        self.on_lost: Callable[[BaseException], None] | None = None
        self._world = world
        self._hosts: dict[str, Host] = {}
        self._opened: set[Host] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False

    # starting

    def spawn(self, start: Start) -> Process:
        """Start a process.

        Raises NotFoundError or InvalidError for ids that name no process or no host, RateLimitedError where the host is
        full, AlreadyExistsError where its name is taken, UnavailableError while the app stops.
        """
        if self._is_closed:
            raise UnavailableError("the app is stopping")
        self._entry(start.id, PROCESSES)
        host = self._host(start.host)
        if start.parent is not None and start.bond:
            self.table.check_events(start.parent)
        host.enter()
        try:
            process = self._add(start, host)
        except BaseException:
            host.leave()
            raise
        self._launch(process, start)
        return process

    def _add(self, start: Start, host: Host) -> Process:
        pid = self.table.next_pid(host.id, start.id)
        loop = asyncio.get_running_loop()
        futures: dict[str, Any] = {"ended": loop.create_future(), "ready": loop.create_future()}
        process = Process(pid, start.id, Mailbox(host.places), host=host, hears=self._hears(start.id), **futures)
        for topic, payload in start.messages:
            self.deliver(process, Message(topic, payload, start.parent, size_of(payload)))
        if start.name is not None:
            self.table.names.register(start.name, pid)
        self.table.add(process)
        if start.parent is not None:
            self._bind(start.parent, pid, start.bond)
        return process

    def _bind(self, parent: str, pid: str, bond: Bond) -> None:
        if Bond.MONITOR in bond:
            self.table.topology.monitor(parent, pid)
        if Bond.LINK in bond:
            self.table.topology.link(parent, pid)

    def _launch(self, process: Process, start: Start) -> None:
        """Run it in a task that has nothing of the caller's context."""
        work = self._run(process, start)
        task = contextvars.Context().run(asyncio.get_running_loop().create_task, work)
        process.task = task
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._done(process, done))

    async def _run(self, process: Process, start: Start) -> None:
        args, outcome = start.args, None
        with resumed(start.chain):
            while outcome is None:
                try:
                    outcome = await self._run_program(process, start, args)
                except Upgraded as wish:
                    args = wish.args_of_program
                    process.id, process.hears = wish.id, self._hears(wish.id)
        self.table.end(process, outcome)

    async def _run_program(self, process: Process, start: Start, args: Sequence[Any]) -> Outcome:
        context = self._world.context_of(process.id, start.context).with_(entry=process.id, pid=process.pid)
        with entered(context):
            make = partial(self._world.new_worker, process.id, process.host, start.terminal)
            return await run_program(make, args, partial(_settle, process.ready))

    def _hears(self, id: str) -> bool:
        return self._world.entries[id].kind == "process.lua"

    def check_process(self, id: str) -> None:
        """Raise NotFoundError or InvalidError for an id that names no process."""
        self._entry(id, PROCESSES)

    def tell_outdated(self, changed: Collection[str]) -> None:
        """Tell the processes that want to know that some of what they are made of is in `changed`."""
        for process in self.table.processes():
            sources = sources_of(process.id, self._world.entries, changed) if process.is_upgradable else None
            if sources:
                process.mailbox.put_event(outdated_event(sources | process.mailbox.news()))

    def _done(self, process: Process, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        process.host.leave()
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self.lost = self.lost or error
            if self.on_lost is not None:
                self.on_lost(error)
        self.table.end(process, Outcome(error=InternalError(f"{process.pid} was ended")))

    def _ended(self, process: Process) -> None:
        if process.deadline is not None:
            process.deadline.cancel()
        process.ready.cancel()
        if process.outcome is not None and not process.ended.done():
            process.ended.set_result(process.outcome)
        if process.task is not None and process.task is not asyncio.current_task():
            process.task.cancel()

    # signals

    def deliver(self, member: Member, message: Message) -> None:
        """Put a message into a mailbox; raises RateLimitedError where it is full, InvalidError where none reads it."""
        if isinstance(member, Process) and not member.hears:
            raise InvalidError(f"{member.pid} is a wasm process, which receives no messages")
        member.mailbox.put(message)

    def kill(self, process: Process, why: str) -> None:
        """End a process at once; harmless where it has ended."""
        self.table.end(process, Outcome(error=CanceledError(f"{process.pid} {why}")))

    def cancel(self, member: Member, sender: str | None, grace: float | None, reason: str | None) -> None:
        """Ask a process to end, and end it after `grace` seconds where there are some.

        One that can't be asked, since it runs wasm, is ended at once.
        """
        member.mailbox.put_event(cancel_event(sender, reason, grace))
        if not isinstance(member, Process):
            return
        if not member.hears:
            self.kill(member, "was cancelled")
        elif grace is not None:
            self._set_deadline(member, self.clock.now() + grace)

    def _set_deadline(self, process: Process, due: float) -> None:
        """The earliest of several deadlines holds."""
        if process.deadline is not None:
            if process.due <= due:
                return
            process.deadline.cancel()
        process.due = due
        process.deadline = self.clock.later(due - self.clock.now(), lambda: self._overdue(process))

    def _overdue(self, process: Process) -> None:
        process.is_overdue = True
        self.kill(process, "was cancelled and did not end in time")

    # the part of the app

    def open_hosts(self, entries: Iterable[Entry]) -> None:
        """Let processes run on the hosts among `entries`, and on no others; those that run elsewhere stay."""
        before, self._hosts = self._hosts, {}
        for entry in entries:
            if entry.kind in HOSTS:
                host = host_of(entry)
                self._hosts[entry.id] = before.get(entry.id, host)
                self._hosts[entry.id].become(host)
        self._opened |= set(self._hosts.values())

    def open_host(self, host: Host) -> None:
        """Let processes run on one host more."""
        self._hosts[host.id] = host
        self._opened.add(host)

    @property
    def hosts(self) -> tuple[Host, ...]:
        return tuple(self._hosts.values())

    async def close(self) -> None:
        """End all processes at once, and wait until nothing of them is left."""
        self._is_closed = True
        for process in self.table.processes():
            self.kill(process, "was ended: the app stops")
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_KILLED)
        for host in self._opened:
            host.close()

    async def gone(self, process: Process) -> None:
        """Wait until nothing of a process is left."""
        if process.task is not None:
            await asyncio.wait([process.task])

    # lookups

    def _entry(self, id: str, kinds: tuple[str, ...]) -> Entry:
        entry = self._world.entries.get(id)
        what = "process" if kinds is PROCESSES else "host"
        if entry is None:
            near = did_you_mean_id(id, [e.id for e in self._world.entries.values() if e.kind in kinds])
            raise NotFoundError(f"there is no entry '{id}'", hint=near)
        if entry.kind not in kinds:
            raise InvalidError(f"'{id}' is {with_article(entry.kind)}, not a {what}")
        return entry

    def _host(self, id: str) -> Host:
        host = self._hosts.get(id)
        if host is None:
            self._entry(id, HOSTS)
            raise UnavailableError(f"the host '{id}' is not running")
        return host


def _settle(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
