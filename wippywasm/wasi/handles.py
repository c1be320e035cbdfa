"""What the resources of our interfaces have in common: some depend on others, and must be dropped before them.

In: objects that guests hold. Out: a trap where a guest drops one that others of its resources still need; when its
guest ends, all go in any order.

Spec: `wasi:io` (a pollable is a child of what it was subscribed to).
"""

from __future__ import annotations

from wippywasm.errors import Trap


class Handle:
    """A resource. `drop` is the guest's word, which may trap; `close` frees it whatever else is there, once."""

    def __init__(self, parent: Handle | None = None) -> None:
        self._children = 0
        self._parent = parent
        self._closed = False
        self._dropped = False
        if parent is not None:
            parent._children += 1

    def drop(self) -> None:
        """Free it; traps where a child of it is still there: then it is freed with the last of them."""
        if self._children:
            self._dropped = True
            raise Trap(
                f"a resource ({type(self).__name__}) was dropped before {self._children} that depend on it",
                code="resource has children",
            )
        self.close()

    def close(self) -> None:
        """Free it."""
        if self._closed:
            return
        self._closed = True
        self.release()
        if self._parent is not None:
            self._parent._lose_child()

    def _lose_child(self) -> None:
        self._children -= 1
        if self._dropped and not self._children:
            self.close()

    def release(self) -> None:
        """What else a kind of resource frees; called once."""
