"""Actors and scopes on their way between Lua and the app.

In: what Lua's half tells of them (`prelude/identities.lua`). Out: actors and scopes; and back. Spec: SPEC section 10.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wippywasm.app.context import Actor, current
from wippywasm.app.security import Policies, Policy, Scope
from wippywasm.errors import InvalidError


def told_actor(actor: Actor) -> dict[str, Any]:
    return {"id": actor.id, "meta": actor.meta}


def told_scope(scope: Scope) -> list[str]:
    return [policy.id for policy in scope.policies]


def actor_of(told: Mapping[str, Any]) -> Actor:
    return Actor(told["id"], named(told.get("meta"), "an actor's meta"))


def scope_of(told: Sequence[str], policies: Policies) -> Scope:
    """The scope of some ids; raises NotFoundError for a policy that there is no more."""
    own = current().scope
    held = {} if own is None else {policy.id: policy for policy in own.policies}

    def find(id: str) -> Policy:
        return policies.policy(id) if id in policies or id not in held else held[id]

    return Scope(map(find, told))


def named(table: Any, what: str) -> Mapping[str, Any]:
    """A table with names for keys, which an empty one is, too; raises InvalidError."""
    if table is None or table == []:
        return {}
    if not isinstance(table, Mapping) or not all(isinstance(key, str) for key in table):
        raise InvalidError(f"{what} must be a table whose keys are strings")
    return table


def text(value: Any, what: str) -> str:
    """A text that is not empty; raises InvalidError."""
    if not isinstance(value, str) or not value:
        raise InvalidError(f"{what} must be a text that is not empty")
    return value
