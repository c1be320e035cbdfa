"""Other code for a process that runs: the wish of its program, and the news that there is some.

In: an id and arguments; entries, and which of them are other than before. Out: `Upgraded`, which ends the program and
nothing else; what a process has other code for. Spec: SPEC section 9 (`process.upgrade`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from wippywasm.app.entry import Entry


class Upgraded(BaseException):
    """A program goes on as `id`, with these arguments.

    Not an `Exception`: no program may catch it and go on as it was.
    """

    def __init__(self, id: str, args: Sequence[Any]) -> None:
        super().__init__(id)
        self.id = id
        self.args_of_program = args


def sources_of(id: str, entries: Mapping[str, Entry], changed: Collection[str]) -> frozenset[str]:
    """Those of `changed` that the program `id` is made of."""
    seen: set[str] = set()
    waiting = [id]
    while waiting:
        one = waiting.pop()
        if one not in seen:
            seen.add(one)
            waiting += [reference.id for reference in entries[one].references] if one in entries else []
    return frozenset(seen.intersection(changed))
