"""Lua's `security`: who acts, what they may do, identities to hand on. Spec: SPEC sections 10 and 11."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from wippywasm.app.context import current
from wippywasm.app.lua.host import LuaCaller, Operation
from wippywasm.app.lua_modules.identities import actor_of, named, scope_of, text, told_actor, told_scope
from wippywasm.app.schema.durations import parse_duration
from wippywasm.app.security import Guard, Policies, Security
from wippywasm.app.security.request import Request
from wippywasm.app.suggest import listing
from wippywasm.errors import InvalidError

_TOKEN_OPTIONS = ("expiration", "meta")


class App(Protocol):
    """The part of an app that knows what may be done."""

    @property
    def guard(self) -> Guard: ...
    @property
    def policies(self) -> Policies: ...
    @property
    def security(self) -> Security: ...


def operations(app: App) -> Mapping[str, Operation]:
    """What the module asks for."""
    asked = _Operations(app)
    names = ("actor", "scope", "can", "new_actor", "new_scope", "policy", "named_scope", "evaluate")
    tokens = ("token_store", "create_token", "validate_token", "revoke_token")
    return {f"security.{name}": getattr(asked, name) for name in (*names, *tokens)}


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

    # tokens

    def token_store(self, _: LuaCaller, id: str) -> bool:
        self._app.guard.check("security.token_store.get", text(id, "a token store's id"))
        self._app.security.tokens.store(id)
        return True

    def create_token(self, _: LuaCaller, id: str, actor: Mapping[str, Any], scope: Sequence[str], options: Any) -> str:
        self._app.guard.check("security.token.create", id)
        given = named(options, "the options of a token")
        for name in given:
            if name not in _TOKEN_OPTIONS:
                raise InvalidError(f"a token has no option '{name:.80}'", hint=f"there are {listing(_TOKEN_OPTIONS)}")
        policies = told_scope(scope_of(scope, self._app.policies))
        store = self._app.security.tokens.store(id)
        meta = named(given.get("meta"), "a token's meta")
        return store.create(actor_of(actor), policies, _expiration(given.get("expiration")), meta)

    def validate_token(self, _: LuaCaller, id: str, token: str) -> dict[str, Any]:
        self._app.guard.check("security.token.validate", id)
        actor, scope = self._app.security.identity_of(id, text(token, "a token"))
        return {"actor": told_actor(actor), "scope": told_scope(scope)}

    def revoke_token(self, _: LuaCaller, id: str, token: str) -> bool:
        self._app.guard.check("security.token.revoke", id)
        return self._app.security.tokens.store(id).revoke(text(token, "a token"))


def _expiration(given: Any) -> float | None:
    """Seconds: of a number of milliseconds, or of a text such as `24h` or `7d`."""
    if given is None:
        return None
    seconds: float | None = None
    if isinstance(given, str):
        days = given.removesuffix("d")
        seconds = int(days) * 86400.0 if days != given and days.isdecimal() and len(days) < 6 else parse_duration(given)
    elif isinstance(given, int | float) and not isinstance(given, bool):
        seconds = given / 1000
    if seconds is None or not 0 < seconds < 1e10:
        raise InvalidError("expiration is a number of milliseconds above 0, or a text such as '24h' or '7d'")
    return seconds
