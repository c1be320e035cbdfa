"""What Lua's `funcs.new()` sets up before a call: identity, context, options.

In: what an executor was given. Out: the number of a `CallSetup`, which the call that follows takes. It is asked for
before each call, since an executor may outlive the call that it was made in. Spec: SPEC sections 6 and 10.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wippywasm.app.context import Handover
from wippywasm.app.lua.host import CallSetup, LuaCaller, Operation
from wippywasm.app.lua_modules.identities import actor_of, named, scope_of
from wippywasm.app.lua_modules.security import App
from wippywasm.app.schema.durations import parse_duration
from wippywasm.errors import InvalidError

MAX_TIMEOUT_MS = 10**12
_RESOURCES = {"values": "context", "actor": "security", "scope": "security"}
"""What must be allowed (`funcs.context` of `context`, …) for each thing that an executor is given."""


def operations(app: App) -> Mapping[str, Operation]:
    """What the module asks for."""

    def prepare(caller: LuaCaller, given: Mapping[str, Any]) -> int:
        return caller.handles.add(_setup(app, given))

    def check(_: LuaCaller, given: Mapping[str, Any]) -> bool:
        _setup(app, given)
        return True

    def forget(caller: LuaCaller, number: int) -> None:
        caller.handles.take(number, CallSetup)

    return {"funcs.prepare": prepare, "funcs.check": check, "funcs.forget": forget}


def _setup(app: App, given: Mapping[str, Any]) -> CallSetup:
    """Raises PermissionDeniedError for what may not be set, InvalidError for what can't be, NotFoundError."""
    for resource in sorted({_RESOURCES[name] for name in given if name in _RESOURCES}):
        app.guard.check(f"funcs.{resource}", resource)
    actor, scope = given.get("actor"), given.get("scope")
    handover = Handover(
        None if actor is None else actor_of(actor),
        None if scope is None else scope_of(scope, app.policies),
        named(given.get("values"), "a context"),
    )
    return CallSetup(handover, _timeout(named(given.get("options"), "options")))


def _timeout(options: Mapping[str, Any]) -> float | None:
    """Seconds; in Lua milliseconds, or a text such as `5s`."""
    for name in options:
        if name != "timeout":
            raise InvalidError(f"a call has no option '{name:.80}'", hint="the option there is is timeout")
    timeout = options.get("timeout")
    if timeout is None:
        return None
    seconds = parse_duration(timeout) if isinstance(timeout, str) else _milliseconds(timeout)
    if not seconds:
        raise InvalidError("a timeout is a number of milliseconds above 0, or a text such as '5s'")
    return seconds


def _milliseconds(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value / 1000 if is_number and 0 < value <= MAX_TIMEOUT_MS else None
