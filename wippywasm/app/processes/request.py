"""What a process is started with.

In: ids, arguments, what the one who starts it wants to be told. Out: a frozen record. Spec: SPEC sections 9 and 10.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import field
from typing import Any

from wippywasm.app.context import Context
from wippywasm.app.functions.terminal import Terminal
from wippywasm.app.pools.chain import Chain
from wippywasm.dataclass import dataclass


class Bond(enum.Flag):
    """How the one who starts a process is bound to it."""

    NONE = 0
    MONITOR = enum.auto()
    LINK = enum.auto()


@dataclass(frozen=True)
class Start:
    """A process of the entry `id` on `host`. `parent` is the pid that `bond` binds, and the sender of `messages`.

    `context` says who the process acts as: nobody, unless whoever starts it declares it. `name` is registered before
    anything of it runs. A command has a `terminal`. `chain` has who waits for its end.
    """

    id: str
    host: str
    args: Sequence[Any] = ()
    parent: str | None = None
    bond: Bond = Bond.NONE
    context: Context = field(default_factory=Context)
    name: str | None = None
    messages: Sequence[tuple[str, Any]] = ()
    terminal: Terminal | None = None
    chain: Chain = ()
