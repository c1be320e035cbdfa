"""A Lua function with the workers it needs.

In: a program, a host, limits. Out: calls, each on an idle worker or a new one. An app that has pools of its own makes
`LuaWorker`s in them instead.
"""

from __future__ import annotations

from typing import Any

from wippywasm.app.lua.host import LuaHost
from wippywasm.app.lua.limits import LuaLimits
from wippywasm.app.lua.program import LuaProgram
from wippywasm.app.lua.worker import LuaWorker
from wippywasm.errors import UnavailableError


class LuaFunction:
    """Calls a program; keeps at most `max_idle` workers that wait for the next call."""

    def __init__(
        self, program: LuaProgram, host: LuaHost, limits: LuaLimits | None = None, *, max_idle: int = 16
    ) -> None:
        self.program = program
        self._host = host
        self._limits = limits
        self._max_idle = max_idle
        self._idle: list[LuaWorker] = []
        self._closed = False

    async def call(self, *args: Any) -> Any:
        """Call the program's method; raises what `LuaWorker.call` raises."""
        if self._closed:
            raise UnavailableError(f"{self.program.id} is closed")
        worker = self._idle.pop() if self._idle else LuaWorker(self.program, self._host, self._limits)
        try:
            return await worker.call(args)
        finally:
            self._give_back(worker)

    def _give_back(self, worker: LuaWorker) -> None:
        if worker.usable and len(self._idle) < self._max_idle and not self._closed:
            self._idle.append(worker)
        else:
            worker.close()

    def close(self) -> None:
        """Free the idle workers; those at work are freed when their calls end."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()
