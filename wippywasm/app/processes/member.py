"""Who has a pid: a process, or a call of a function that wants to hear of processes.

In: a pid, a mailbox. Out: the state that others see. Spec: SPEC section 9.
"""

from __future__ import annotations

import asyncio
from dataclasses import field

from wippywasm.app.processes.clock import Timer
from wippywasm.app.processes.events import Outcome
from wippywasm.app.processes.host import Host
from wippywasm.app.processes.mailbox import Mailbox
from wippywasm.dataclass import dataclass


@dataclass(eq=False)
class Member:
    """`id` is the entry whose code runs now. With `trap_links` the failure of a linked process is an event; else it is
    shared.
    """

    pid: str
    id: str
    mailbox: Mailbox
    trap_links: bool = False
    outcome: Outcome | None = None


@dataclass(eq=False)
class Process(Member):
    """`task` runs the program, and is done when nothing of it is left; `ended` has the outcome, perhaps sooner.
    `ready` is done when the program has been loaded and begins to run. One that `is_upgradable` is told of other code.

    `hears` tells whether the program can be told of events at all; where it has a `deadline`, it is killed when that is
    `due` (on the clock of its processes), and `is_overdue` then.
    """

    host: Host = field(kw_only=True)
    task: asyncio.Task[None] | None = None
    ended: asyncio.Future[Outcome] = field(kw_only=True)
    ready: asyncio.Future[None] = field(kw_only=True)
    hears: bool = True
    due: float = 0.0
    is_overdue: bool = False
    is_upgradable: bool = False
    deadline: Timer | None = None
