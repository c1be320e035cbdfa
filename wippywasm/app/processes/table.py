"""The live members of an app and what binds them: the state that signals change.

In: members as they come and end. Out: lookups by pid or name; events for those who are bound to one that ended.
Spec: SPEC section 9.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from wippywasm.app.processes.events import Event, Outcome, exit_event, link_down_event
from wippywasm.app.processes.member import Member, Process
from wippywasm.app.processes.names import Names
from wippywasm.app.processes.topology import Topology
from wippywasm.errors import InternalError, NotFoundError, RateLimitedError

MAX_EVENTS = 10_000
"""Events that may wait for a member before it can't ask for more."""


class Table:
    """`on_end` is told of each process that ended, once it has."""

    def __init__(self, on_end: Callable[[Process], None]) -> None:
        self.names = Names()
        self.topology = Topology()
        self._members: dict[str, Member] = {}
        self._on_end = on_end
        self._count = 0

    def next_pid(self, host: str, id: str) -> str:
        """A pid that was never used."""
        self._count += 1
        return f"{{{host}|{id}|{self._count:#07x}}}"

    def add(self, member: Member) -> None:
        self._members[member.pid] = member

    def processes(self) -> Iterator[Process]:
        """Those that have not ended, the oldest first."""
        yield from [member for member in self._members.values() if isinstance(member, Process)]

    def find(self, destination: str) -> Member:
        """The live member with a pid, or with a registered name; raises NotFoundError."""
        pid = destination if destination.startswith("{") else self.names.lookup(destination)
        member = self._members.get(pid)
        if member is None:
            raise NotFoundError(f"there is no process {pid}; it may have ended")
        return member

    def get(self, pid: str) -> Member | None:
        return self._members.get(pid)

    def check_events(self, pid: str) -> None:
        """Raise RateLimitedError where a member asks for more events than it receives."""
        member = self._members.get(pid)
        if member is not None and len(member.mailbox.events.queue) >= MAX_EVENTS:
            raise RateLimitedError(f"{MAX_EVENTS} events wait for {pid}", hint="receive from process.events()")

    def end(self, member: Member, outcome: Outcome) -> None:
        """A member has ended. Those linked to it that do not trap it fail with it, and so on; all others are told.

        Only the first outcome of a member counts.
        """
        todo = deque([(member, outcome)])
        while todo:
            one, how = todo.popleft()
            if one.outcome is None:
                todo.extend(self._end(one, how))

    def _end(self, member: Member, outcome: Outcome) -> Iterator[tuple[Member, Outcome]]:
        member.outcome = outcome
        self._members.pop(member.pid, None)
        self.names.end(member.pid)
        watchers, linked = self.topology.end(member.pid)
        member.mailbox.close()
        for pid in watchers:
            self._tell(pid, exit_event(member.pid, outcome))
        if outcome.is_failure:
            yield from self._share(member.pid, linked, outcome)
        if isinstance(member, Process):
            self._on_end(member)

    def _share(self, pid: str, linked: list[str], outcome: Outcome) -> Iterator[tuple[Member, Outcome]]:
        for other in linked:
            member = self._members.get(other)
            if member is not None and member.trap_links:
                self._tell(other, link_down_event(pid, outcome))
            elif member is not None:
                yield member, Outcome(error=InternalError(f"{pid}, which it was linked to, failed: {outcome.error}"))

    def _tell(self, pid: str, event: Event) -> None:
        member = self._members.get(pid)
        if member is not None:
            member.mailbox.put_event(event)
