"""One policy: what it says of a request.

In: a request. Out: allow, deny, or nothing. Spec: SPEC section 10.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Protocol

from wippywasm.app.security.globs import Glob
from wippywasm.app.security.operators import UndecidableError
from wippywasm.app.security.request import Request
from wippywasm.dataclass import dataclass


class Holds(Protocol):
    """What a policy hangs on: a condition, or an expression."""

    def holds(self, request: Request) -> bool:
        """Whether it holds; raises UndecidableError for values that can't be compared."""
        ...


class Verdict(enum.Enum):
    """What a policy, or several together, say."""

    ALLOW = "allow"
    DENY = "deny"
    UNDEFINED = "undefined"


@dataclass(frozen=True)
class Policy:
    """`effect` for the `actions` on the `resources` where all `conditions` hold; `id` is that of its entry."""

    id: str
    actions: tuple[Glob, ...]
    resources: tuple[Glob, ...]
    effect: Verdict
    conditions: tuple[Holds, ...] = ()

    def evaluate(self, request: Request) -> Verdict:
        """Its effect, or `UNDEFINED` where it has nothing to say. What can't be decided is never for the actor."""
        if not (_any(self.actions, request.action) and _any(self.resources, request.resource)):
            return Verdict.UNDEFINED
        if not self.conditions:
            return self.effect
        try:
            holds = all(condition.holds(request) for condition in self.conditions)
        except UndecidableError:
            holds = self.effect is Verdict.DENY
        return self.effect if holds else Verdict.UNDEFINED


def _any(globs: Iterable[Glob], text: str) -> bool:
    return any(glob.matches(text) for glob in globs)
