"""What requests and responses of guests have in common: they count, and have fields and at most one body.

In: fields that a guest made. Out: a base, and the body's pipe.

Spec: `wasi:http/types`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from wippywasm.errors import Trap, WitError
from wippywasm.wasi.handles import Handle
from wippywasm.wasi.http.bodies import OutgoingBody
from wippywasm.wasi.http.codes import HttpError
from wippywasm.wasi.http.fields import Entry, Fields, content_length
from wippywasm.wasi.http.limits import HttpLimits
from wippywasm.wasi.http.pipe import Pipe
from wippywasm.wasi.network.budget import Budget, Quotas


class Counted(Handle):
    """A message that a guest holds; traps where it holds too many."""

    own_budget: ClassVar[Budget] = Budget(Quotas().messages)

    def __init__(self, budget: Budget | None = None) -> None:
        self._count = budget or self.own_budget
        if not self._count.take():
            raise Trap("the guest holds more HTTP messages than the host keeps for it", code="too many messages")
        super().__init__()

    def release(self) -> None:
        self._count.give()


class OutgoingMessage(Counted):
    """A message that a guest makes. `pipe` is there once its body was asked for."""

    limits: ClassVar[HttpLimits] = HttpLimits()
    wrong_length: ClassVar[str]

    def __init__(self, headers: Fields) -> None:
        super().__init__()
        self.fields: Sequence[Entry] = tuple(headers.snapshot())
        self._field_budget = headers.budget
        self.pipe: Pipe | None = None
        headers.close()

    def headers(self) -> Fields:
        return Fields.view(self.fields, self._field_budget, self)

    def body(self) -> OutgoingBody:
        if self.pipe is not None:
            raise WitError
        try:
            length = content_length(self.fields)
        except ValueError:
            raise WitError from None
        wrong = self.wrong_length
        self.pipe = Pipe(self.limits.buffer, length, lambda size: HttpError(wrong, size).as_stream_error())
        return OutgoingBody(self.pipe, length, wrong)

    def release(self) -> None:
        """A body that goes nowhere takes nothing more."""
        super().release()
        if self.pipe is not None and not self.sent:
            self.pipe.stop()

    sent = False
    """Whether somebody takes what the body brings."""
