"""What processes need of their app, and nothing more.

In: an app. Out: the entries, workers for programs, the say of security.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from wippywasm.app.context import Context
from wippywasm.app.entry import Entry
from wippywasm.app.pools.worker import Worker

if TYPE_CHECKING:
    from wippywasm.app.functions.terminal import Terminal
    from wippywasm.app.processes.host import Host


class Guard(Protocol):
    """Who says what the running code may do."""

    def check(self, action: str, resource: str, meta: Mapping[str, Any] | None = None) -> None:
        """Raise PermissionDeniedError where the current context may not."""
        ...


class World(Protocol):
    """The programs of an app, as its processes see them."""

    @property
    def entries(self) -> Mapping[str, Entry]: ...
    def context_of(self, id: str, declared: Context) -> Context:
        """The context that a process of an entry runs in, of what was declared when it was started."""
        ...

    async def new_worker(self, id: str, host: Host, terminal: Terminal | None = None) -> Worker:
        """A new instance of a program, for a process on `host` that may have a terminal; raises what making raises."""
        ...
