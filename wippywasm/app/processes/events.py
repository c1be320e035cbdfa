"""What a process is told of others, and how a process ended.

In: the end of a process, a wish that it end, other code for it. Out: events, as the plain values that Lua gets.
Spec: SPEC section 9.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from wippywasm.dataclass import dataclass
from wippywasm.errors import WitError

CANCEL, EXIT, LINK_DOWN, OUTDATED = "pid.cancel", "pid.exit", "pid.link.down", "pid.outdated"


@dataclass(frozen=True)
class Outcome:
    """How a process ended: what its program returned, or `error`, where it has one."""

    value: Any = None
    error: Exception | None = None

    @property
    def is_failure(self) -> bool:
        return self.error is not None

    def as_value(self) -> dict[str, Any]:
        """`{value, error}`; a program's own error is the value that it returned as its error."""
        error: Any = self.error
        if isinstance(error, WitError) and error.payload is not None:
            error = error.payload
        return {"value": self.value, "error": error}


@dataclass(frozen=True)
class Event:
    """An event of `kind` about the process `sender`; `facts` are the fields that only this kind has."""

    kind: str
    sender: str
    facts: dict[str, Any]

    def as_value(self) -> dict[str, Any]:
        return {"kind": self.kind, "from": self.sender, **self.facts}


def exit_event(pid: str, outcome: Outcome) -> Event:
    """A process that is monitored has ended."""
    return Event(EXIT, pid, {"result": outcome.as_value()})


def link_down_event(pid: str, outcome: Outcome) -> Event:
    """A process that is linked has failed."""
    return Event(LINK_DOWN, pid, {"result": outcome.as_value()})


def cancel_event(sender: str | None, reason: str | None, grace: float | None) -> Event:
    """The process is to end, within `grace` seconds where that is known."""
    deadline = None if grace is None else round(grace * 1000)
    return Event(CANCEL, sender or "", {"reason": reason, "deadline": deadline})


def outdated_event(sources: Iterable[str]) -> Event:
    """There is other code for the process; `sources` are the entries that are other than when it began."""
    return Event(OUTDATED, "", {"sources": sorted(sources)})
