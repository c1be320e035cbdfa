"""Whom the code of an entry acts as.

In: the `security` field of a function, or that of a service's `lifecycle`: `actor`, `policies`, `groups`. Out: what it
puts in place of what the caller has; what the field does not say stays. Spec: SPEC section 10.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wippywasm.app.context import Actor, Context
from wippywasm.app.security.policies import Policies
from wippywasm.app.security.scope import Scope
from wippywasm.dataclass import dataclass


@dataclass(frozen=True)
class Identity:
    """Each part is None where it is not said."""

    actor: Actor | None = None
    scope: Scope | None = None

    def assumed(self, context: Context) -> Context:
        """The context of code that acts as this."""
        return context.with_(actor=self.actor or context.actor, scope=self.scope or context.scope)


def read_identity(field: Mapping[str, Any], policies: Policies) -> Identity:
    """The identity that a checked field describes; raises NotFoundError for a group that no policy is in."""
    actor = field.get("actor")
    ids, groups = field.get("policies"), field.get("groups")
    scope = None
    if ids or groups:
        grouped = [policy for group in groups or () for policy in policies.group(group).policies]
        scope = Scope([*map(policies.policy, ids or ()), *grouped])
    return Identity(None if actor is None else Actor(actor["id"], actor.get("meta") or {}), scope)
