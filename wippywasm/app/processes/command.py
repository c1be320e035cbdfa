"""A process on the terminal: what `wippywasm run NAME` runs.

In: an entry, arguments, the words of the command line. Out: its outcome; an interruption ends it.
Spec: SPEC sections 9 and 13.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wippywasm.app.functions.terminal import Terminal
from wippywasm.app.processes.events import Outcome
from wippywasm.app.processes.host import Host
from wippywasm.app.processes.processes import Processes
from wippywasm.app.processes.request import Start

GRACE = 10.0
"""Seconds that a program has which wants to hear of an interruption."""
_TERMINAL = "terminal"


class Command:
    """One run of a command, begun."""

    def __init__(self, processes: Processes, id: str, args: Sequence[Any], words: Sequence[str]) -> None:
        self.lost: OSError | None = None
        self._processes = processes
        terminal = Terminal(tuple(words), self._lose)
        self._process = processes.spawn(Start(id, _host(processes), args, terminal=terminal))

    async def outcome(self) -> Outcome:
        """Wait for its end. Raises what no program may catch, such as standard output that is gone."""
        outcome = await self._process.ended
        if self._processes.lost is not None:
            raise self._processes.lost
        return outcome

    def interrupt(self, reason: str) -> None:
        """End it: at once, unless it asked to hear of events and this is the first time."""
        process = self._process
        if process.mailbox.is_heard and process.deadline is None:
            self._processes.cancel(process, None, GRACE, reason)
        else:
            self._processes.kill(process, "was interrupted")

    def _lose(self, error: OSError) -> None:
        """Nobody reads its output any more."""
        self.lost = error
        self._processes.kill(self._process, "can't write to standard output")


def _host(processes: Processes) -> str:
    """The first terminal of the app, or one of our own."""
    for host in processes.hosts:
        if host.is_terminal:
            return host.id
    processes.open_host(Host(_TERMINAL, max_processes=1, is_terminal=True))
    return _TERMINAL
