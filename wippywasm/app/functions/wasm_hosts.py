"""What the guests of wasm entries import: the hosts that each entry declares, with the world that it describes.

In: programs, and the app that they belong to. Out: linked components. What an entry does not declare is linked to
functions that deny.

A world belongs to one event loop, that of the workers which share it: what waits in it is woken up there. The rules of
an entry's network, and what its guests have open at once, are the entry's.

Spec: SPEC sections 3 (`imports`, `wasi`, `network`), 7 and 10.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from wippywasm.app.entry import Entry
from wippywasm.app.env import Environment
from wippywasm.app.programs.folders import folder_of
from wippywasm.app.programs.wasm import WasmProgram
from wippywasm.errors import WippyError
from wippywasm.instance.component import Component
from wippywasm.instance.linked_component import LinkedComponent

if TYPE_CHECKING:
    from wippywasm.app.functions.terminal import Terminal
    from wippywasm.app.observe.spans import Spans
    from wippywasm.app.security import Guard
    from wippywasm.wasi import Network, Wasi


class GuestHost(Protocol):
    """What guests reach of the app: functions by id, and who says what they may."""

    @property
    def guard(self) -> Guard: ...
    @property
    def environment(self) -> Environment: ...
    @property
    def spans(self) -> Spans | None: ...
    async def call(self, id: str, args: list[Any]) -> Any: ...


class WasmHosts:
    """The hosts of one running app. Each entry has a world of its own in each loop; closing lets go of all."""

    def __init__(self, entries: Mapping[str, Entry], folder: Path, app: GuestHost) -> None:
        self._entries = entries
        self._folder = folder
        self._app = app
        self._worlds: list[Wasi] = []
        self._networks: dict[str, Network] = {}
        self._plain: dict[Component, LinkedComponent] = {}
        self._linked: dict[tuple[str, asyncio.AbstractEventLoop], LinkedComponent] = {}
        self._lock = threading.Lock()

    def link(self, program: WasmProgram) -> LinkedComponent:
        """The program's component with what its entry declares, for the running loop.

        Raises InvalidError for what can't be mounted.
        """
        declared: Sequence[str] = program.entry.data.get("imports") or ()
        with self._lock:
            return self._link_declared(program, declared) if declared else self._link_plain(program)

    def _link_declared(self, program: WasmProgram, declared: Sequence[str]) -> LinkedComponent:
        key = program.entry.id, asyncio.get_running_loop()
        if key not in self._linked:
            imports = self._imports(self._wasi(program.entry), declared)
            self._linked[key] = program.component.link(imports, undeclared="deny")
        return self._linked[key]

    def _link_plain(self, program: WasmProgram) -> LinkedComponent:
        linked = self._plain.get(program.component)
        if linked is None:
            linked = self._plain[program.component] = program.component.link(undeclared="deny")
        return linked

    def link_command(self, program: WasmProgram, terminal: Terminal) -> tuple[LinkedComponent, Wasi]:
        """The same for a program that has a terminal, with its world, which is for this run only."""
        declared: Sequence[str] = program.entry.data.get("imports") or ()
        wasi = self._wasi(program.entry, terminal)
        return program.component.link(self._imports(wasi, declared), undeclared="deny"), wasi

    def close(self) -> None:
        while self._worlds:
            self._worlds.pop().close()

    def _imports(self, wasi: Wasi, declared: Sequence[str]) -> dict[str, Any]:
        from wippywasm.app.funcs_host import Funcs  # hosts are loaded where an entry has some
        from wippywasm.wasi.wasi import granted

        imports = {**wasi.imports(declared), **granted(Funcs(self._app), declared)}
        if self._app.spans is None:
            return imports
        from wippywasm.app.observe.imports import traced

        return traced(imports, self._app.spans)

    def _wasi(self, entry: Entry, terminal: Terminal | None = None) -> Wasi:
        from wippywasm.wasi import Wasi
        from wippywasm.wasi.filesystem import mounts_from

        settings: Mapping[str, Any] = entry.data.get("wasi") or {}
        try:
            mounts = mounts_from(settings.get("mounts") or (), self._mounted)
            around = {"args": settings.get("args") or ()} if terminal is None else terminal.around(entry)
            network = self._network(entry)
            env = partial(self._variables, settings.get("env") or ())
            wasi = Wasi(cwd=settings.get("cwd"), env=env, mounts=mounts, network=network, **around)
        except WippyError as error:
            error.details.setdefault("entry", entry.id)
            raise
        self._worlds.append(wasi)
        return wasi

    def _variables(self, given: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """What the variables of an entry stand for now; those that are not set are left out."""
        values = {variable["name"]: self._app.environment.find(variable["id"]) for variable in given}
        return {name: value for name, value in values.items() if value is not None}

    def _network(self, entry: Entry) -> Network:
        from wippywasm.app.functions.network import entry_network

        if entry.id not in self._networks:
            self._networks[entry.id] = entry_network(entry.data.get("network") or {}, self._app.guard)
        return self._networks[entry.id]

    def _mounted(self, fs: str) -> Path:
        return folder_of(self._entries[fs], self._folder)
