"""Wasm entries to programs.

In: checked wasm entries. Out: for each a compiled component and the function to call, or problems. A binary that many
entries use is compiled once. Spec: SPEC section 3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from wippywasm.app.programs.binaries import Binaries
from wippywasm.app.programs.library import Component, Load
from wippywasm.app.programs.refusals import say_refusal
from wippywasm.app.entry import Entry, Source
from wippywasm.app.report import Report
from wippywasm.app.suggest import listing
from wippywasm.errors import NotFoundError, WippyError
from wippywasm.model import FuncType


@dataclass(frozen=True)
class WasmProgram:
    """What a wasm entry runs: `function` is the key of an export in `component.functions`, `type` its signature."""

    entry: Entry
    component: Component = field(repr=False)
    function: str
    type: FuncType


class WasmBuilder:
    """Builds the programs of one app."""

    def __init__(self, app: Path, load: Load, engine: str | None, report: Report) -> None:
        self._binaries = Binaries(app, report)
        self._load = load
        self._engine = engine
        self._report = report
        self._loaded: dict[tuple[bytes | str, str | None], Component | WippyError] = {}

    def build(self, entries: Sequence[Entry], by_id: Mapping[str, Entry]) -> dict[str, WasmProgram]:
        """The programs of all wasm entries that have no problem."""
        sources = {entry.id: self._source(entry, by_id) for entry in entries}
        built = (self._program(entry, source) for entry in entries if (source := sources[entry.id]) is not None)
        return {program.entry.id: program for program in built if program is not None}

    def _source(self, entry: Entry, by_id: Mapping[str, Entry]) -> bytes | str | None:
        if entry.kind == "function.wat":
            text: Source = entry.data["source"]
            return text.text
        filesystem = by_id.get(entry.data["fs"])
        if filesystem is None or filesystem.kind != "fs.directory" or not filesystem.valid:
            return None
        return self._binaries.read(entry, filesystem)

    def _program(self, entry: Entry, source: bytes | str) -> WasmProgram | None:
        component = self._component(entry, source)
        if isinstance(component, WippyError):
            say_refusal(component, entry, self._report)
            return None
        try:
            function, type = component.find_function(entry.data["method"])
        except NotFoundError as error:
            at = entry.at(self._report, "method")
            at.problem(error.message, error.hint or f"it exports {listing(component.functions)}")
            return None
        _warn(entry, self._report)
        return WasmProgram(entry, component, function, type)

    def _component(self, entry: Entry, source: bytes | str) -> Component | WippyError:
        wit: Source | None = entry.data.get("wit")
        key = (source, wit.text if wit is not None else None)
        if key not in self._loaded:
            self._loaded[key] = _attempt(lambda: self._load(source, wit=key[1], engine=self._engine))
        return self._loaded[key]


def _attempt(load: Callable[[], Component]) -> Component | WippyError:
    try:
        return load()
    except WippyError as error:
        return error


def _warn(entry: Entry, report: Report) -> None:
    """Say what is accepted and has no effect yet."""
    if "max_execution_ms" in (entry.data.get("limits") or {}):
        entry.at(report, "limits").warning("'max_execution_ms' is known but not enforced yet")
