"""A host for Lua programs under test: functions by id, what was printed, and a way to run a program."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from wippywasm.app.lua import LuaLibrary, LuaLimits, LuaProgram, LuaSource, LuaWorker
from wippywasm.app.lua.host import CallSetup, Operation
from wippywasm.errors import NotFoundError
from wippywasm.model import FuncType, Param, ValType


class FakeHost:
    """Serves plain and async functions; remembers the arguments of each call."""

    def __init__(self) -> None:
        self.functions: dict[str, Callable[..., Any]] = {}
        self.signatures: dict[str, FuncType] = {}
        self.calls: list[tuple[str, list[Any]]] = []
        self.printed = ""
        self.operations: dict[str, Operation] = {}

    def serve(self, id: str, function: Callable[..., Any], signature: FuncType | None = None) -> None:
        self.functions[id] = function
        if signature is not None:
            self.signatures[id] = signature

    async def call(self, id: str, args: list[Any], setup: CallSetup | None = None) -> Any:
        self.calls.append((id, args))
        if id not in self.functions:
            raise NotFoundError(f"no function '{id}'")
        result = self.functions[id](*args)
        return await result if inspect.isawaitable(result) else result

    def signature(self, id: str) -> FuncType | None:
        return self.signatures.get(id)

    def operation(self, name: str) -> Operation:
        if name not in self.operations:
            raise NotFoundError(f"no operation '{name}'")
        return self.operations[name]

    def write(self, text: str) -> None:
        self.printed += text


def program(
    source: str,
    *,
    method: str = "main",
    modules: frozenset[str] = frozenset({"funcs", "json"}),
    imports: Mapping[str, LuaLibrary] | None = None,
) -> LuaProgram:
    return LuaProgram("app:test", LuaSource(source, "test.lua"), modules, imports or {}, method)


def run(source: str, *args: Any, host: FakeHost | None = None, limits: LuaLimits | None = None, **options: Any) -> Any:
    """Call a program once on a fresh worker."""
    worker = LuaWorker(program(source, **options), host or FakeHost(), limits)
    try:
        return asyncio.run(worker.call(args))
    finally:
        worker.close()


def body(text: str, *args: Any, **options: Any) -> Any:
    """Run the body of a function that has `funcs` and `json`."""
    return run(
        f'local funcs, json = require("funcs"), require("json") return function(...) {text}\nend', *args, **options
    )


def takes(*types: ValType, result: ValType | None = None) -> FuncType:
    """A signature with parameters a, b, c …"""
    return FuncType(tuple(Param(name, t) for name, t in zip("abcdefgh", types)), result)
