"""Wasm entries to programs.

In: checked wasm entries. Out: for each a compiled component and the function to call, or problems. A binary that many
entries use is compiled once. Spec: SPEC section 3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from wippywasm.app.entry import Entry, Source
from wippywasm.app.funcs_host import Funcs, NoApp
from wippywasm.app.programs.binaries import Binaries
from wippywasm.app.programs.refusals import say_refusal
from wippywasm.app.report import Report
from wippywasm.app.suggest import listing
from wippywasm.engine import wat2wasm
from wippywasm.engine.port import Engine
from wippywasm.errors import InvalidError, NotFoundError, WippyError
from wippywasm.instance.component import Component
from wippywasm.instance.limits import Limits
from wippywasm.instance.load import load
from wippywasm.model import FuncType
from wippywasm.wasi import Wasi
from wippywasm.wasi.wasi import granted

_LIMITS = ("max_execution_ms", "max_memory_mb", "max_table_elements", "max_instances")


@dataclass(frozen=True)
class WasmProgram:
    """What a wasm entry runs: `function` is the key of an export, `type` its signature."""

    entry: Entry
    component: Component = field(repr=False)
    function: str
    type: FuncType


class WasmBuilder:
    """Builds the programs of one app."""

    def __init__(self, app: Path, engine: Engine, report: Report) -> None:
        self._binaries = Binaries(app, report)
        self._engine = engine
        self._report = report
        self._loaded: dict[tuple[bytes | str, str | None], Component | WippyError] = {}

    def build(self, entries: Sequence[Entry], filesystems: Mapping[str, Entry]) -> dict[str, WasmProgram]:
        """The programs of all wasm entries that have no problem; all hashes are checked before anything is compiled.

        `filesystems` are those whose folder is there; an entry of another one has its problem already.
        """
        sources = {entry.id: self._source(entry, filesystems) for entry in entries}
        built = (self._program(entry, source) for entry in entries if (source := sources[entry.id]) is not None)
        return {program.entry.id: program for program in built if program is not None}

    def _source(self, entry: Entry, filesystems: Mapping[str, Entry]) -> bytes | str | None:
        if entry.kind == "function.wat":
            text: Source = entry.data["source"]
            return text.text
        filesystem = filesystems.get(entry.data["fs"])
        return self._binaries.read(entry, filesystem) if filesystem is not None else None

    def _program(self, entry: Entry, source: bytes | str) -> WasmProgram | None:
        component = self._component(entry, source)
        if isinstance(component, WippyError):
            say_refusal(component, entry, self._report)
            return None
        try:
            function, type = component.find_function(entry.data["method"])
        except NotFoundError as error:
            exports = component.functions
            hint = error.hint or (f"it exports {listing(exports)}" if exports else "it exports no function")
            entry.at(self._report, "method").problem(error.message, hint)
            return None
        try:
            component.check_limits(limits_of(entry))
        except InvalidError as error:
            entry.at(self._report, "limits").problem(error.message, error.hint)
            return None
        return WasmProgram(entry, component, function, type)

    def _component(self, entry: Entry, source: bytes | str) -> Component | WippyError:
        wit: Source | None = entry.data.get("wit")
        text = wit.text if wit is not None else None
        if (source, text) not in self._loaded:
            self._loaded[source, text] = _load(source, text, self._engine)
        return self._loaded[source, text]


def _load(source: bytes | str, wit: str | None, engine: Engine) -> Component | WippyError:
    """Compile, and see whether what it imports fits the hosts; an entry grants some of them or none."""
    try:
        wasm = wat2wasm(source) if isinstance(source, str) else source
        component = load(wasm, wit=None if wit is None else f"{wit}\n", engine=engine)
        component.compile()
        _check_imports(component)
        return component
    except WippyError as error:
        return error


def _check_imports(component: Component) -> None:
    """Raise LinkError where it imports one of our interfaces with other types than ours."""
    if component.imports:
        funcs = granted(Funcs(NoApp()), ["funcs"])
        component.link(funcs, wasi=Wasi(stdout=None, stderr=None), undeclared="deny")


def limits_of(entry: Entry) -> Limits:
    """What the entry lets each of its instances have."""
    settings = entry.data.get("limits") or {}
    return Limits(**{name: settings[name] for name in _LIMITS if name in settings})
