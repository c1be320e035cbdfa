"""What reading one file may take, so that a small one can't ask for endless work or memory.

In: what there is for a file of its size, and what is taken. Out: BudgetError where that is more. What there is, and
what each kind of definition takes, is said where files of a kind are read: `binary.limits`, `wit.decode_limits`.
"""

from __future__ import annotations

from typing import NamedTuple

from wippywasm.errors import ValidationError


class Cost(NamedTuple):
    """What reading one of a kind takes: work, and about the bytes that CPython keeps for it."""

    work: int
    room: int


class BudgetError(ValidationError):
    """The file asks for more work or room than its size gives it; no statement on whether its types fit."""


class Budget:
    """Counts the work spent on one file, and the room taken; shared by all that reads it.

    `work` is what any file may spend, `work_of_byte` what a byte of definitions adds to it, `most_work` what none may
    exceed; `room` is for all of it. `message` and `hint` are for whom it refuses.
    """

    __slots__ = ("_hint", "_message", "_most", "_work_of_byte", "left", "room")

    def __init__(
        self, work: int, work_of_byte: int, most_work: int, room: int, message: str, hint: str | None = None
    ) -> None:
        self.left = work
        self.room = room
        self._work_of_byte = work_of_byte
        self._most = most_work - work
        self._message = message
        self._hint = hint

    @property
    def is_spent(self) -> bool:
        """Whether more was taken than there was."""
        return self.left < 0 or self.room < 0

    def grant(self, size: int) -> None:
        """Add the work that `size` bytes of definitions may ask for."""
        more = min(size * self._work_of_byte, self._most)
        self._most -= more
        self.left += more

    def spend(self, work: int, offset: int) -> None:
        """Raises BudgetError where there is no more work left."""
        self.left -= work
        if self.left < 0:
            raise self._refusal(offset)

    def take(self, room: int, offset: int) -> None:
        """Raises BudgetError where there is no more room left."""
        self.room -= room
        if self.room < 0:
            raise self._refusal(offset)

    def define(self, cost: Cost, offset: int, count: int = 1) -> None:
        """Raises BudgetError where so many of a kind are more than there is work or room for."""
        self.left -= cost.work * count
        self.room -= cost.room * count
        if self.left < 0 or self.room < 0:
            raise self._refusal(offset)

    def _refusal(self, offset: int) -> BudgetError:
        return BudgetError(self._message, offset, hint=self._hint)
