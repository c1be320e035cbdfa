"""Hosts that sleep, and `load` for each engine that is here."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest

from tests.instance.conftest import engine, load  # noqa: F401  (the fixtures)
from tests.machine.staging import stage  # noqa: F401  (the fixture)
from wippywasm.errors import WitError


class Clock:
    """Sleeps; `running` counts the sleeps under way, `cancelled` those that were cut off."""

    def __init__(self) -> None:
        self.running = 0
        self.cancelled = 0

    async def sleep(self, ms: int) -> int:
        self.running += 1
        try:
            await asyncio.sleep(ms / 1000)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1
        return ms

    async def name(self, ms: int) -> str:
        await self.sleep(ms)
        return f"slept for {ms} ms" * (1 + ms)

    async def attempt(self, ms: int) -> int:
        await self.sleep(ms)
        if ms % 2:
            raise WitError("odd")
        return ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def imports(clock: Clock) -> dict[str, Any]:
    return {"test:host/clock": clock}


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run tests that are coroutine functions."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    asyncio.run(pyfuncitem.obj(**arguments))
    return True
