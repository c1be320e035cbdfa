"""What the running code may do with processes: each action is asked of security first.

In: actions of a member, or of code that is none. Out: their effects, or PermissionDeniedError. Spec: SPEC sections 9
and 10.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from wippywasm.app.ids import check_id
from wippywasm.app.pools.chain import held_for
from wippywasm.app.processes.mailbox import Message, size_of
from wippywasm.app.processes.member import Member, Process
from wippywasm.app.processes.processes import Processes
from wippywasm.app.processes.request import Bond, Start
from wippywasm.app.processes.world import Guard
from wippywasm.errors import InvalidError


class Actions:
    """The guarded side of one app's processes. `me` is the pid of who acts, where it has one."""

    def __init__(self, processes: Processes, guard: Guard) -> None:
        self._processes = processes
        self._table = processes.table
        self._guard = guard

    def _check(self, action: str, resource: str, me: str | None = None) -> None:
        self._guard.check(action, resource, {"pid": me} if me else None)

    def spawn(self, start: Start) -> str:
        """Start a process and give its pid; raises what `Processes.spawn` raises."""
        _check_ids(start)
        me = start.parent
        self._check("process.spawn", start.id, me)
        if Bond.MONITOR in start.bond:
            self._check("process.spawn.monitored", start.id, me)
        if Bond.LINK in start.bond:
            self._check("process.spawn.linked", start.id, me)
        self._check("process.host", start.host, me)
        return self._processes.spawn(start).pid

    async def exec(self, start: Start) -> Any:
        """Start a process and wait for what it returns; raises what it fails with. Cancelled, it ends the process.

        Raises UnavailableError where too many wait for one another.
        """
        _check_ids(start)
        self._check("process.exec", start.id, start.parent)
        self._check("process.host", start.host, start.parent)
        process = self._processes.spawn(replace(start, chain=held_for(start.id)))
        try:
            outcome = await process.ended
        except BaseException:
            self._processes.kill(process, "was ended: who waited for it was cancelled")
            raise
        if outcome.error is not None:
            raise outcome.error
        return outcome.value

    def check_upgrade(self, me: str, id: str) -> None:
        """Raise where a process may not go on as the program `id`."""
        check_id(id)
        member = self._table.find(me)
        if not isinstance(member, Process):
            raise InvalidError("a call of a function ends by itself; a process can be upgraded")
        if id != member.id:
            self._check("process.spawn", id, me)
        self._processes.check_process(id)

    def send(self, me: str | None, destination: str, topic: str, payload: Any) -> None:
        """Send a message; raises NotFoundError, or RateLimitedError where the mailbox is full."""
        if topic.startswith("@") or not topic:
            raise InvalidError(
                f"a message can't have the topic {topic!r:.80}", hint="topics with '@' are the runtime's"
            )
        member = self._table.find(destination)
        self._check("process.send", member.pid, me)
        self._processes.deliver(member, Message(topic, payload, me, size_of(payload)))

    def terminate(self, me: str | None, destination: str) -> None:
        """End a process at once."""
        process = self._process(destination)
        self._check("process.terminate", process.pid, me)
        self._processes.kill(process, "was terminated")

    def cancel(self, me: str | None, destination: str, grace: float | None, reason: str | None) -> None:
        """Ask a process to end, within `grace` seconds where there are some."""
        member = self._table.find(destination)
        self._check("process.cancel", member.pid, me)
        self._processes.cancel(member, me, grace, reason)

    def monitor(self, me: str, destination: str) -> None:
        """Have an EXIT event when a process ends."""
        target = self._other(me, destination)
        self._check("process.monitor", target.pid, me)
        self._table.check_events(me)
        self._table.topology.monitor(me, target.pid)

    def unmonitor(self, me: str, destination: str) -> None:
        """Have none; harmless where none was wanted."""
        target = self._table.find(destination)
        self._check("process.unmonitor", target.pid, me)
        self._table.topology.unmonitor(me, target.pid)

    def link(self, me: str, destination: str) -> None:
        """Share the failure of a process, and have it share one's own."""
        target = self._other(me, destination)
        self._check("process.link", target.pid, me)
        self._table.check_events(me)
        self._table.check_events(target.pid)
        self._table.topology.link(me, target.pid)

    def unlink(self, me: str, destination: str) -> None:
        """Share nothing more; harmless where nothing was shared."""
        target = self._table.find(destination)
        self._check("process.unlink", target.pid, me)
        self._table.topology.unlink(me, target.pid)

    def register(self, me: str | None, name: str, destination: str | None) -> None:
        """Give a name to a process: to `destination`, else to oneself."""
        target = self._table.find(destination or me or "")
        self._check("process.registry.register", name, me)
        if target.pid != me:
            self._check("process.registry.foreign", target.pid, me)
        self._table.names.register(name, target.pid)

    def check_context(self, me: str | None) -> None:
        """Raise where no context may be declared for other processes."""
        self._check("process.context", "context", me)

    def check_security(self, me: str | None) -> None:
        """Raise where no identity may be declared for other processes."""
        self._check("process.security", "security", me)

    def lookup(self, name: str) -> str:
        """The pid behind a name; raises NotFoundError."""
        return self._table.names.lookup(name)

    def unregister(self, me: str | None, name: str) -> bool:
        """Take a name away; tells whether there was one."""
        self._check("process.registry.unregister", name, me)
        return self._table.names.unregister(name)

    def _process(self, destination: str) -> Process:
        member = self._table.find(destination)
        if not isinstance(member, Process):
            raise InvalidError(f"{member.pid} is a call of a function, which ends by itself")
        return member

    def _other(self, me: str, destination: str) -> Member:
        target = self._table.find(destination)
        if target.pid == me:
            raise InvalidError("a process can't be bound to itself")
        return target


def _check_ids(start: Start) -> None:
    check_id(start.id)
    check_id(start.host)
