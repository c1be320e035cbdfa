"""Lua's `security`: who acts, what they may do, identities to hand on. Spec: SPEC sections 10 and 11."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from wippywasm.app.context import current
from wippywasm.app.lua.host import LuaCaller, Operation
from wippywasm.app.lua_modules.identities import actor_of, named, scope_of, text, told_actor, told_scope
from wippywasm.app.security import Guard, Policies
from wippywasm.app.security.request import Request


class App(Protocol):
    """The part of an app that knows what may be done."""

    @property
    def guard(self) -> Guard: ...
    @property
    def policies(self) -> Policies: ...


def operations(app: App) -> Mapping[str, Operation]:
    """What the module asks for."""
    asked = _Operations(app)
    names = ("actor", "scope", "can", "new_actor", "new_scope", "policy", "named_scope", "evaluate")
    return {f"security.{name}": getattr(asked, name) for name in names}


class _Operations:
    """One method for each operation; the first argument is the call that asks."""

    def __init__(self, app: App) -> None:
        self._app = app

    def actor(self, _: LuaCaller) -> Any:
        actor = current().actor
        return None if actor is None else told_actor(actor)

    def scope(self, _: LuaCaller) -> Any:
        scope = current().scope
        return None if scope is None else told_scope(scope)

    def can(self, _: LuaCaller, action: str, resource: str, meta: Any = None) -> bool:
        facts = named(meta, "meta")
        return self._app.guard.allows(text(action, "an action"), text(resource, "a resource"), facts)

    def new_actor(self, _: LuaCaller, id: str, meta: Any = None) -> Any:
        self._app.guard.check("security.actor.create", text(id, "an actor's id"))
        return told_actor(actor_of({"id": id, "meta": meta}))

    def new_scope(self, _: LuaCaller) -> bool:
        self._app.guard.check("security.scope.create", "custom")
        return True

    def policy(self, _: LuaCaller, id: str) -> str:
        self._app.guard.check("security.policy.get", text(id, "a policy's id"))
        return self._app.policies.policy(id).id

    def named_scope(self, _: LuaCaller, id: str) -> list[str]:
        self._app.guard.check("security.policy_group.get", text(id, "a group's id"))
        return told_scope(self._app.policies.group(id))

    def evaluate(
        self, _: LuaCaller, ids: Sequence[str], actor: Mapping[str, Any], action: str, resource: str, meta: Any = None
    ) -> str:
        facts = named(meta, "meta")
        request = Request(actor_of(actor), text(action, "an action"), text(resource, "a resource"), facts)
        return scope_of(ids, self._app.policies).evaluate(request).verdict.value
