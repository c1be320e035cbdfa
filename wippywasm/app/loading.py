"""From a folder to everything an app needs to start, or to all that is wrong with it.

In: the app folder, an engine, overrides. Out: `LoadedApp`; raises `DefinitionError` with every problem.
Nothing is started here, and no folder made. Spec: SPEC section 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from wippywasm.app.check import (
    check_commands,
    check_cycles,
    check_duplicates,
    check_groups,
    check_processes,
    check_references,
)
from wippywasm.app.definition.overrides import apply_overrides
from wippywasm.app.definition.raw import read_raw_entries
from wippywasm.app.entry import Entry
from wippywasm.app.kinds import KINDS, LATER_KINDS
from wippywasm.app.programs.folders import check_folder
from wippywasm.app.programs.lua import build_lua, check_sources
from wippywasm.app.report import At, Report, in_order
from wippywasm.app.schema.kind import check_entries
from wippywasm.app.settings import AppSettings, read_settings
from wippywasm.engine.port import Engine
from wippywasm.errors import Problem

if TYPE_CHECKING:
    from wippywasm.app.lua.program import LuaProgram
    from wippywasm.app.programs.components import Progress
    from wippywasm.app.programs.wasm import WasmProgram

FUNCTIONS = ("function.wat", "function.wasm", "function.lua")
WASM = ("function.wat", "function.wasm", "process.wasm")
LUA = ("function.lua", "process.lua", "library.lua")


@dataclass(frozen=True)
class LoadedApp:
    """A valid app: `entries` by id, and what its functions and processes run. `warnings` are for its author to know."""

    folder: Path
    engine: Engine
    entries: Mapping[str, Entry]
    wasm: Mapping[str, WasmProgram]
    lua: Mapping[str, LuaProgram]
    settings: AppSettings
    warnings: tuple[Problem, ...] = ()

    @property
    def functions(self) -> tuple[str, ...]:
        """The ids of everything that can be called."""
        return tuple(id for id in (*self.wasm, *self.lua) if self.entries[id].kind in FUNCTIONS)


def load_app(folder: Path, engine: Engine, overrides: Sequence[str], progress: Progress | None = None) -> LoadedApp:
    """Read, check and compile the app in `folder`; `progress` is told how far compiling is."""
    report = Report()
    if not folder.is_dir():
        At(report, str(folder)).problem("there is no such folder")
        report.raise_if_any()
    settings = read_settings(folder, report)
    entries = _entries(folder, overrides, report)
    by_id = {entry.id: entry for entry in entries}
    valid = [entry for entry in entries if entry.valid]
    filesystems = {e.id: e for e in valid if e.kind == "fs.directory" and check_folder(e, folder, report)}
    check_sources([entry for entry in valid if entry.kind in LUA], report)
    wasm = _build_wasm([e for e in valid if e.kind in WASM], filesystems, folder, engine, report, progress)
    report.raise_if_any()
    lua = build_lua(entries, by_id)
    warnings = tuple(in_order(report.warnings))
    programs = MappingProxyType(wasm), MappingProxyType(lua)
    return LoadedApp(folder, engine, MappingProxyType(by_id), *programs, settings, warnings)


def _build_wasm(
    entries: list[Entry],
    filesystems: Mapping[str, Entry],
    folder: Path,
    engine: Engine,
    report: Report,
    progress: Progress | None,
) -> Mapping[str, WasmProgram]:
    if not entries:
        return {}
    from wippywasm.app.programs.wasm import WasmBuilder  # an app of Lua alone needs nothing of it

    return WasmBuilder(folder, engine, report).build(entries, filesystems, progress)


def _entries(folder: Path, overrides: Sequence[str], report: Report) -> list[Entry]:
    raw = read_raw_entries(folder, {*KINDS, *LATER_KINDS}, report)
    check_duplicates(raw, report)
    raw = apply_overrides(raw, overrides, report)
    entries = check_entries(raw, KINDS, LATER_KINDS, folder, report)
    check_references(entries, {entry.id for entry in raw}, report)
    check_cycles(entries, report)
    check_commands(entries, report)
    check_processes(entries, report)
    check_groups(entries, report)
    return entries
