"""What HTTP needs of its app.

In: nothing. Out: a protocol, so that this room knows no application.
"""

from __future__ import annotations

from typing import Any, Protocol


class Callee(Protocol):
    """The functions of an app."""

    async def call(self, id: str, *args: Any) -> Any:
        """Call a function; raises as `App.call`."""
        ...

    def check_room(self, id: str) -> None:
        """Raise UnavailableError where a call would have to wait even for a place in the queue of its pool."""
        ...
