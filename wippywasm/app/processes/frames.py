"""Who asks: the process whose program runs, or a call of a function, which is a member for as long as it runs.

In: calls of Lua programs. Out: members. A call becomes one when it first asks; it is told of events, and never fails
with those it is linked to. Spec: SPEC section 9.
"""

from __future__ import annotations

from collections.abc import Mapping

from wippywasm.app.context import current
from wippywasm.app.lua.handles import Handles
from wippywasm.app.lua.host import LuaCaller
from wippywasm.app.processes.events import Outcome
from wippywasm.app.processes.host import QUEUE_SIZE
from wippywasm.app.processes.mailbox import Mailbox
from wippywasm.app.processes.member import Member, Process
from wippywasm.app.processes.processes import Processes
from wippywasm.errors import InvalidError, UnavailableError

OPTIONS = ("trap_links", "upgradable")
HOST = "functions"
"""What the pid of a call has in place of a host."""


class _Frame:
    """Ends a member with the call that it stands for."""

    def __init__(self, frames: Frames, member: Member, handles: Handles) -> None:
        self._frames = frames
        self._member = member
        self._handles = handles

    def close(self) -> None:
        self._frames.end(self._member, self._handles)


class Frames:
    """The calls of one app that have become members."""

    def __init__(self, processes: Processes) -> None:
        self._table = processes.table
        self._members: dict[Handles, Member] = {}

    def of(self, caller: LuaCaller) -> Member:
        """The member that a call is; raises UnavailableError in a process that has ended."""
        context = current()
        if context.pid is not None:
            process = self._table.get(context.pid)
            if process is None:
                raise UnavailableError(f"{context.pid} has ended")
            if process.id == caller.id:
                return process
        return self._members.get(caller.handles) or self._add(caller)

    def _add(self, caller: LuaCaller) -> Member:
        member = Member(self._table.next_pid(HOST, caller.id), caller.id, Mailbox(QUEUE_SIZE), trap_links=True)
        caller.handles.add(_Frame(self, member, caller.handles))
        self._members[caller.handles] = member
        self._table.add(member)
        return member

    def options(self, caller: LuaCaller) -> dict[str, bool]:
        """The options of a member, by `OPTIONS`."""
        member = self.of(caller)
        return {"trap_links": member.trap_links, "upgradable": isinstance(member, Process) and member.is_upgradable}

    def set_options(self, caller: LuaCaller, options: Mapping[str, bool]) -> None:
        """Change some of them. A call is always told of failures of linked processes, and has no other code."""
        member = self.of(caller)
        new = self.options(caller) | dict(options)
        if isinstance(member, Process):
            member.is_upgradable = new["upgradable"]
        elif new["upgradable"]:
            raise InvalidError("a call of a function ends by itself, and can't be upgraded: upgradable stays false")
        elif not new["trap_links"]:
            raise InvalidError("a call of a function can't share the failure of a process: trap_links stays true")
        member.trap_links = new["trap_links"]

    def end(self, member: Member, handles: Handles) -> None:
        """A call is over."""
        self._members.pop(handles, None)
        self._table.end(member, Outcome())
