"""What the process tests share: an app written on the spot, and processes of plain Python in a world without an app."""

from __future__ import annotations

import asyncio
import heapq
import textwrap
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from wippywasm.app import App
from wippywasm.app.context import Context
from wippywasm.app.entry import Entry
from wippywasm.app.functions.terminal import Terminal
from wippywasm.app.pools.worker import Worker
from wippywasm.app.processes.host import Host
from wippywasm.app.processes.processes import Processes
from wippywasm.engine.port import Engine

HOST = """
- name: host
  kind: process.host
"""
Program = Callable[..., Awaitable[Any]]


@pytest.fixture
def load_app(tmp_path: Path, engine: Engine) -> Callable[..., App]:
    """Loads an app whose `_index.yaml` has a host `t:host` and these entries, in namespace `t`."""

    def load(entries: str, **files: bytes) -> App:
        text = textwrap.indent(textwrap.dedent(HOST) + textwrap.dedent(entries), "  ")
        (tmp_path / "_index.yaml").write_text(f"namespace: t\nentries:\n{text}")
        for name, content in files.items():
            (tmp_path / name.replace("_dot_", ".")).write_bytes(content)
        return App.load(tmp_path, engine=engine.name)

    return load


def lua(name: str, body: str, kind: str = "process.lua", modules: str = "time") -> str:
    """An entry whose `main` has this body."""
    source = textwrap.indent(textwrap.dedent(body).strip("\n"), "    ")
    head = f"- name: {name}\n  kind: {kind}\n  method: main\n  modules: [{modules}]\n  source: |\n"
    return f"{head}    local function main(...)\n{source}\n    end\n    return {{main = main}}\n"


class FakeClock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.time = 0.0
        self._due: list[tuple[float, int, FakeTimer]] = []
        self._count = 0

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        timer = self.later(seconds, lambda: None if woken.done() else woken.set_result(None))
        try:
            await woken
        finally:
            timer.cancel()

    def later(self, seconds: float, action: Callable[[], None]) -> FakeTimer:
        self._count += 1
        timer = FakeTimer(action)
        heapq.heappush(self._due, (self.time + seconds, self._count, timer))
        return timer

    async def pass_(self, seconds: float) -> None:
        """Let that much time pass, and everything happen that is due in it."""
        end = self.time + seconds
        await settle()
        while self._due and self._due[0][0] <= end:
            self.time, _, timer = heapq.heappop(self._due)
            if not timer.is_cancelled:
                timer.action()
            await settle()
        self.time = end

    @property
    def next_due(self) -> float | None:
        """When the next timer is due."""
        waiting = [due for due, _, timer in self._due if not timer.is_cancelled]
        return min(waiting, default=None)


class FakeTimer:
    def __init__(self, action: Callable[[], None]) -> None:
        self.action = action
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


async def settle() -> None:
    """Until all tasks have done what they can without waiting for time or the outside."""
    for _ in range(20):
        await asyncio.sleep(0)


class FakeWorker:
    def __init__(self, program: Program, world: FakeWorld) -> None:
        self._program = program
        self._world = world

    async def call(self, args: Sequence[Any]) -> Any:
        return await self._program(*args)

    def usable_after(self, error: BaseException) -> bool:
        return False

    def close(self) -> None:
        self._world.live -= 1


class FakeWorld:
    """Entries `t:NAME` that run Python functions; `live` counts workers that are not closed."""

    def __init__(self, **programs: Program) -> None:
        self.programs = {f"t:{name}": program for name, program in programs.items()}
        self.live = 0
        kinds = dict.fromkeys(self.programs, "process.lua") | {"t:host": "process.host"}
        self.entries: Mapping[str, Entry] = {id: Entry(id, kind, {}, {}, "x.yaml", 1) for id, kind in kinds.items()}

    def context_of(self, id: str, declared: Context) -> Context:
        return declared

    async def new_worker(self, id: str, host: Host, terminal: Terminal | None = None) -> Worker:
        self.live += 1
        return FakeWorker(self.programs[id], self)


def processes(world: FakeWorld, clock: FakeClock | None = None) -> Processes:
    """The processes of a world, its hosts open."""
    made = Processes(world, clock)
    made.open_hosts(world.entries.values())
    return made
