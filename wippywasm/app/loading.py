"""From a folder to everything an app needs to start, or to all that is wrong with it.

In: the app folder, an engine, overrides. Out: `LoadedApp`; raises `DefinitionError` with every problem.
Nothing is started here, and no folder made. Spec: SPEC section 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from wippywasm.app.check import (
    check_commands,
    check_cycles,
    check_duplicates,
    check_groups,
    check_http,
    check_processes,
    check_references,
)
from wippywasm.app.definition.overrides import apply_overrides
from wippywasm.app.definition.raw import RawEntry, read_raw_entries
from wippywasm.app.entry import Entry
from wippywasm.app.env import Environment, build_environment, interpolate
from wippywasm.app.env.build import NOTHING
from wippywasm.app.kinds import KINDS, LATER_KINDS
from wippywasm.app.programs.folders import check_folder
from wippywasm.app.programs.lua import build_lua, check_sources
from wippywasm.app.report import At, Report, in_order
from wippywasm.app.schema.kind import check_entries
from wippywasm.app.settings import AppSettings, read_settings
from wippywasm.dataclass import dataclass
from wippywasm.engine.port import Engine
from wippywasm.errors import Problem

if TYPE_CHECKING:
    from wippywasm.app.lua.program import LuaProgram
    from wippywasm.app.programs.components import Progress, Wanted
    from wippywasm.app.programs.wasm import WasmProgram
    from wippywasm.instance.component import Component

FUNCTIONS = ("function.wat", "function.wasm", "function.lua")
WASM = ("function.wat", "function.wasm", "process.wasm")
LUA = ("function.lua", "process.lua", "library.lua")


@dataclass(frozen=True)
class LoadedApp:
    """A valid app: `entries` by id, and what its functions and processes run.

    `raw` has the entries as they were written, placeholders and all, `compiled` what `wasm` was made from.
    `warnings` are for the author to know.
    """

    folder: Path
    engine: Engine
    settings: AppSettings
    raw: Mapping[str, RawEntry]
    entries: Mapping[str, Entry]
    environment: Environment
    wasm: Mapping[str, WasmProgram]
    lua: Mapping[str, LuaProgram]
    compiled: Mapping[Wanted, Component] = field(default_factory=dict, repr=False)
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
    raw = read_definitions(folder, overrides, report)
    return Loader(folder, engine, settings, report, progress).load(raw)


def read_definitions(folder: Path, overrides: Sequence[str], report: Report) -> list[RawEntry]:
    """What the definition files of an app say, with what the command line says instead."""
    raw = read_raw_entries(folder, {*KINDS, *LATER_KINDS}, report)
    check_duplicates(raw, report)
    return apply_overrides(raw, overrides, report)


@dataclass(frozen=True)
class Loader:
    """Makes an app of raw entries; `report` may have problems already. What `before` has compiled is used again."""

    folder: Path
    engine: Engine
    settings: AppSettings
    report: Report
    progress: Progress | None = None
    before: LoadedApp | None = None

    def load(self, raw: Sequence[RawEntry]) -> LoadedApp:
        """Check and compile; raises DefinitionError with every problem there is."""
        environment, entries = self._entries(raw)
        by_id = {entry.id: entry for entry in entries}
        valid = [entry for entry in entries if entry.valid]
        filesystems = {e.id: e for e in valid if e.kind == "fs.directory" and check_folder(e, self.folder, self.report)}
        check_sources([entry for entry in valid if entry.kind in LUA], self.report)
        wasm, compiled = self._build_wasm([e for e in valid if e.kind in WASM], filesystems)
        self.report.raise_if_any()
        return LoadedApp(
            self.folder,
            self.engine,
            self.settings,
            MappingProxyType({entry.id: entry for entry in raw}),
            MappingProxyType(by_id),
            environment,
            MappingProxyType(wasm),
            MappingProxyType(build_lua(entries, by_id)),
            compiled,
            tuple(in_order(self.report.warnings)),
        )

    def _entries(self, raw: Sequence[RawEntry]) -> tuple[Environment, list[Entry]]:
        """Entries of `env.*` first, since the others may have placeholders for what they define."""
        before = len(self.report.problems)
        checked = {entry.id: entry for entry in self._check([r for r in raw if r.kind.startswith("env.")])}
        environment = self._environment(checked.values())
        # Where a variable has a problem of its own, that it is not there is not a second one.
        report = self.report if len(self.report.problems) == before else Report()
        rest = (interpolate(entry, environment, report) for entry in raw if not entry.kind.startswith("env."))
        checked |= {entry.id: entry for entry in self._check([entry for entry in rest if entry is not None])}
        entries = [checked[entry.id] for entry in raw if entry.id in checked]
        check_references(entries, {entry.id for entry in raw}, self.report)
        check_cycles(entries, self.report)
        check_commands(entries, self.report)
        check_processes(entries, self.report)
        check_groups(entries, self.report)
        check_http({entry.id: entry for entry in entries}, self.report)
        return environment, entries

    def _check(self, raw: Sequence[RawEntry]) -> list[Entry]:
        return check_entries(raw, KINDS, LATER_KINDS, self.folder, self.report)

    def _environment(self, entries: Iterable[Entry]) -> Environment:
        valid = [entry for entry in entries if entry.valid]
        before = self.before.environment if self.before is not None else NOTHING
        return build_environment(valid, self.folder, self.report, before)

    def _build_wasm(
        self, entries: list[Entry], filesystems: Mapping[str, Entry]
    ) -> tuple[Mapping[str, WasmProgram], Mapping[Wanted, Component]]:
        if not entries:
            return {}, {}
        from wippywasm.app.programs.wasm import WasmBuilder  # an app of Lua alone needs nothing of it

        known = self.before.compiled if self.before is not None else {}
        return WasmBuilder(self.folder, self.engine, self.report, known).build(entries, filesystems, self.progress)
