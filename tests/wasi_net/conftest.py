"""Tests that are coroutines run on an event loop of their own; sockets that guests leave behind are closed, as they are
when a guest ends."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from tests.wasi.conftest import engine, load
from wippywasm.wasi.sockets.base import Socket

__all__ = ["engine", "load"]


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: Any) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    wanted = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    asyncio.run(asyncio.wait_for(pyfuncitem.obj(**wanted), 30))
    return True


@pytest.fixture(autouse=True)
def end_of_guests(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    made: list[Socket] = []
    begin = Socket.__init__

    def remembered(self: Socket, *args: Any) -> None:
        begin(self, *args)
        made.append(self)

    monkeypatch.setattr(Socket, "__init__", remembered)
    yield
    for sock in made:
        sock.close()
