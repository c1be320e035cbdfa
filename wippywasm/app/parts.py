"""The parts of a running app that follow its entries: pools, processes, HTTP.

In: what a loaded app has, and which of it is other than before. Out: a prepared change, which takes place at once or
not at all. Spec: SPEC section 2 (changes are transactions).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from wippywasm.app.loading import LoadedApp


class Prepared(Protocol):
    """A change that has been found to be possible; exactly one of the two is called, and neither fails."""

    def commit(self) -> None:
        """Have it take place."""
        ...

    def discard(self) -> None:
        """Free what was made for it."""
        ...


class Part(Protocol):
    """A part of an app. Its start is a change from nothing."""

    async def prepare(self, loaded: LoadedApp, changed: Collection[str]) -> Prepared:
        """Get ready for the entries of `loaded`, of which those in `changed` are new, other or gone.

        Raises what makes the change impossible; nothing is left then.
        """
        ...


async def prepare_all(parts: Sequence[Part], loaded: LoadedApp, changed: Collection[str]) -> list[Prepared]:
    """Prepare every part, in order; where one refuses, the others' changes are discarded."""
    prepared: list[Prepared] = []
    try:
        for part in parts:
            prepared.append(await part.prepare(loaded, changed))
    except BaseException:
        for change in reversed(prepared):
            change.discard()
        raise
    return prepared
