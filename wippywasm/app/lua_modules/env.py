"""Lua's `env`: variables of the app, as far as the caller may read and write them. Spec: SPEC section 11."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from wippywasm.app.env import Environment
from wippywasm.app.lua.host import LuaCaller, Operation
from wippywasm.app.lua_modules.arguments import text
from wippywasm.app.security import Guard
from wippywasm.errors import InvalidError


class App(Protocol):
    """The part of an app that has variables."""

    @property
    def guard(self) -> Guard: ...
    @property
    def environment(self) -> Environment: ...


def operations(app: App) -> Mapping[str, Operation]:
    """What the module asks for."""

    def get(_: LuaCaller, key: str) -> str:
        app.guard.check("env.get", app.environment.guarded_name(_key(key, "env.get")))
        return app.environment.get(key)

    def set(_: LuaCaller, key: str, value: str) -> bool:
        app.guard.check("env.set", app.environment.guarded_name(_key(key, "env.set")))
        app.environment.set(key, text(value, "env.set takes"))
        return True

    def get_all(_: LuaCaller) -> dict[str, str]:
        values = {name: app.environment.find(name) for name in _names(app)}
        return {name: value for name, value in values.items() if value is not None}

    return {"env.get": get, "env.set": set, "env.get_all": get_all}


def _names(app: App) -> Iterator[str]:
    """The public names of the variables that the caller may read."""
    names = (variable.name for variable in app.environment if variable.name is not None)
    return (name for name in names if app.guard.shows("env.get", name))


def _key(value: object, what: str) -> str:
    key = text(value, f"{what} takes")
    if not key:
        raise InvalidError(f"{what} takes the name of a variable, got an empty text")
    return key
