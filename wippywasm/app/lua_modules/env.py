"""Lua's `env`: variables of the app, as far as the caller may read and write them. Spec: SPEC section 11."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from wippywasm.app.env import Environment
from wippywasm.app.lua.host import LuaCaller, Operation
from wippywasm.errors import InvalidError


class App(Protocol):
    """The part of an app that has variables."""

    @property
    def environment(self) -> Environment: ...


def operations(app: App) -> Mapping[str, Operation]:
    """What the module asks for."""

    def get(_: LuaCaller, key: str) -> str:
        return app.environment.get(_text(key, "env.get"))

    def set(_: LuaCaller, key: str, value: str) -> bool:
        app.environment.set(_text(key, "env.set"), _text(value, "env.set"))
        return True

    def get_all(_: LuaCaller) -> dict[str, str]:
        values = {v.name: app.environment.find(v.name) for v in app.environment if v.name is not None}
        return {name: value for name, value in values.items() if value is not None}

    return {"env.get": get, "env.set": set, "env.get_all": get_all}


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise InvalidError(f"{what} takes text, got {'nothing' if value is None else type(value).__name__}")
    return value
