"""What the guests of wasm entries import: the hosts that each entry declares, with the world that it describes.

In: programs, and the app that they belong to. Out: linked components. What an entry does not declare is linked to
functions that deny.

Spec: SPEC sections 3 (`imports`, `wasi`) and 7.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wippywasm.app.entry import Entry
from wippywasm.app.programs.folders import folder_of
from wippywasm.app.programs.wasm import WasmProgram
from wippywasm.errors import WippyError
from wippywasm.instance.component import Component, LinkedComponent

if TYPE_CHECKING:
    from wippywasm.app.funcs_host import Caller
    from wippywasm.wasi import Wasi


class WasmHosts:
    """The hosts of one running app. Each entry has a world of its own; closing lets go of all."""

    def __init__(self, entries: Mapping[str, Entry], folder: Path, app: Caller) -> None:
        self._entries = entries
        self._folder = folder
        self._app = app
        self._worlds: list[Wasi] = []
        self._plain: dict[Component, LinkedComponent] = {}

    def link(self, program: WasmProgram) -> LinkedComponent:
        """The program's component with what its entry declares; raises InvalidError for what can't be mounted."""
        declared: Sequence[str] = program.entry.data.get("imports") or ()
        if declared:
            return program.component.link(self._imports(program.entry, declared), undeclared="deny")
        linked = self._plain.get(program.component)
        if linked is None:
            linked = self._plain[program.component] = program.component.link(undeclared="deny")
        return linked

    def close(self) -> None:
        while self._worlds:
            self._worlds.pop().close()

    def _imports(self, entry: Entry, declared: Sequence[str]) -> dict[str, Any]:
        from wippywasm.app.funcs_host import Funcs  # hosts are loaded where an entry has some
        from wippywasm.wasi.wasi import granted

        wasi = self._wasi(entry)
        return {**wasi.imports(declared), **granted(Funcs(self._app), declared)}

    def _wasi(self, entry: Entry) -> Wasi:
        from wippywasm.wasi import Wasi
        from wippywasm.wasi.filesystem import mounts_from

        settings: Mapping[str, Any] = entry.data.get("wasi") or {}
        try:
            mounts = mounts_from(settings.get("mounts") or (), self._mounted)
            wasi = Wasi(args=settings.get("args") or (), cwd=settings.get("cwd"), mounts=mounts)
        except WippyError as error:
            error.details.setdefault("entry", entry.id)
            raise
        self._worlds.append(wasi)
        return wasi

    def _mounted(self, fs: str) -> Path:
        return folder_of(self._entries[fs], self._folder)
