"""What Lua may ask of its app.

In: an app. Out: the `LuaHost` of its Lua workers: calls by id, signatures, standard output.
Spec: SPEC sections 6 and 11.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from wippywasm.app.context import Handover
from wippywasm.app.env import Environment
from wippywasm.app.lua.host import CallSetup, Operation
from wippywasm.app.lua_modules import App as LuaApp
from wippywasm.app.lua_modules import operations
from wippywasm.app.observe import Observers
from wippywasm.app.observe.spans import Spans
from wippywasm.app.output_lost import OutputLost
from wippywasm.app.security import Guard
from wippywasm.errors import NotFoundError, TimedOutError
from wippywasm.model import FuncType


class Callee(LuaApp, Protocol):
    """The part of an app that Lua reaches."""

    @property
    def guard(self) -> Guard: ...
    @property
    def observers(self) -> Observers: ...
    @property
    def call(self) -> Callable[..., Awaitable[Any]]: ...
    async def hand_over(self, handover: Handover, id: str, args: Sequence[Any]) -> Any: ...
    def signature(self, id: str) -> FuncType | None: ...


class AppLuaHost:
    """Hands everything on to the app."""

    def __init__(self, app: Callee) -> None:
        self._app = app
        self._operations = operations(app)

    @property
    def guard(self) -> Guard:
        return self._app.guard

    @property
    def environment(self) -> Environment:
        return self._app.environment

    @property
    def spans(self) -> Spans | None:
        return self._app.observers.spans

    async def call(self, id: str, args: list[Any], setup: CallSetup | None = None) -> Any:
        if setup is None:
            return await self._app.call(id, *args)
        return await _within(setup.timeout, id, self._app.hand_over(setup.handover, id, args))

    def signature(self, id: str) -> FuncType | None:
        """Who may not call a function learns nothing of it; the call itself is refused then."""
        return self._app.signature(id) if self._app.guard.shows("funcs.call", id) else None

    def operation(self, name: str) -> Operation:
        operation = self._operations.get(name)
        if operation is None:
            raise NotFoundError(f"this app has no '{name}'")
        return operation

    def write(self, text: str) -> None:
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except OSError as error:
            raise OutputLost(error) from error


async def _within(seconds: float | None, id: str, call: Awaitable[Any]) -> Any:
    """Raise TimedOutError, and cancel the call, where it takes longer."""
    work = asyncio.ensure_future(call)
    try:
        return await asyncio.wait_for(work, seconds)
    except asyncio.TimeoutError:
        if not work.cancelled():
            raise  # the callee's own
        raise TimedOutError(f"{id} did not answer within {seconds:g} s", details={"entry": id}) from None
