"""Scopes: policies together.

In: a request. Out: a decision with the policy that made it. Spec: SPEC section 10.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from wippywasm.app.security.policy import Policy, Verdict
from wippywasm.app.security.request import Request
from wippywasm.dataclass import dataclass


class Decision(NamedTuple):
    """`policy` is the id of the one that denied or allowed; None where none did."""

    verdict: Verdict
    policy: str | None = None


@dataclass(frozen=True, init=False)
class Scope:
    """A set of policies, by their ids. It never changes; `with_policy` and `without` give others."""

    policies: tuple[Policy, ...]

    def __init__(self, policies: Iterable[Policy] = ()) -> None:
        by_id = {policy.id: policy for policy in policies}
        object.__setattr__(self, "policies", tuple(by_id[id] for id in sorted(by_id)))

    def with_policy(self, policy: Policy) -> Scope:
        """The same and `policy`, which takes the place of one with its id."""
        return Scope((*self.policies, policy))

    def without(self, id: str) -> Scope:
        """The same less the policy with that id."""
        return Scope(policy for policy in self.policies if policy.id != id)

    def __contains__(self, id: object) -> bool:
        return any(policy.id == id for policy in self.policies)

    def evaluate(self, request: Request) -> Decision:
        """Any deny wins, else any allow; else it is undefined."""
        allowed = Decision(Verdict.UNDEFINED)
        for policy in self.policies:
            verdict = policy.evaluate(request)
            if verdict is Verdict.DENY:
                return Decision(verdict, policy.id)
            if verdict is Verdict.ALLOW and allowed.policy is None:
                allowed = Decision(verdict, policy.id)
        return allowed
