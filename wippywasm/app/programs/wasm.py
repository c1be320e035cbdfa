"""Wasm entries to programs.

In: checked wasm entries. Out: for each a compiled component and the function to call, or problems. A binary that many
entries use is compiled once. Spec: SPEC section 3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path

from wippywasm.app.entry import Entry, Source
from wippywasm.app.programs.binaries import Binaries
from wippywasm.app.programs.components import Components, Loaded, Progress, Wanted
from wippywasm.app.programs.compositions import compose_sources
from wippywasm.app.programs.incoming import HANDLE, can_serve, check_serving
from wippywasm.app.programs.refusals import say_refusal
from wippywasm.app.report import Report
from wippywasm.app.suggest import listing
from wippywasm.dataclass import dataclass
from wippywasm.engine.port import Engine
from wippywasm.errors import InvalidError, NotFoundError, WippyError
from wippywasm.instance.component import Component
from wippywasm.instance.limits import Limits
from wippywasm.model import FuncType

_LIMITS = ("max_execution_ms", "max_memory_mb", "max_table_elements", "max_instances")


@dataclass(frozen=True)
class WasmProgram:
    """What a wasm entry runs: `function` is the key of an export, `type` its signature.

    One that `serves_http` is called with requests as WASI has them, whatever its `method`.
    """

    entry: Entry
    component: Component = field(repr=False)
    function: str
    type: FuncType
    serves_http: bool = False


class WasmBuilder:
    """Builds the programs of one app; `known` is what was compiled already."""

    def __init__(self, app: Path, engine: Engine, report: Report, known: Mapping[Wanted, Component]) -> None:
        self._binaries = Binaries(app, report)
        self._engine = engine
        self._report = report
        self._known = known

    def build(
        self, entries: Sequence[Entry], filesystems: Mapping[str, Entry], progress: Progress | None = None
    ) -> tuple[dict[str, WasmProgram], dict[Wanted, Component]]:
        """The programs of all wasm entries that have no problem, and what is compiled for them.

        All hashes are checked before anything is compiled.

        `filesystems` are those whose folder is there; an entry of another one has its problem already.
        """
        read = {e.id: source for e in entries if (source := self._source(e, filesystems)) is not None}
        sources = compose_sources(entries, read, self._report)
        wanted: list[tuple[Entry, Wanted]] = [(e, (sources[e.id], _wit(e))) for e in entries if e.id in sources]
        loaded: dict[Wanted, Loaded] = {what: self._known[what] for _, what in wanted if what in self._known}
        missing = [what for _, what in wanted if what not in loaded]
        loaded |= Components(self._engine, _check_imports).load_all(missing, progress)
        built = [self._program(entry, loaded[what]) for entry, what in wanted]
        compiled = {what: one for what, one in loaded.items() if isinstance(one, Component)}
        return {program.entry.id: program for program in built if program is not None}, compiled

    def _source(self, entry: Entry, filesystems: Mapping[str, Entry]) -> bytes | str | None:
        if entry.kind == "function.wat":
            text: Source = entry.data["source"]
            return text.text
        filesystem = filesystems.get(entry.data["fs"])
        return self._binaries.read(entry, filesystem) if filesystem is not None else None

    def _program(self, entry: Entry, component: Loaded) -> WasmProgram | None:
        if isinstance(component, WippyError):
            say_refusal(component, entry, self._report)
            return None
        serves_http = can_serve(entry, component)
        try:
            function, type = component.find_function(HANDLE if serves_http else entry.data["method"])
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
        try:
            component.compile_for_tasks(limits_of(entry))
        except WippyError as error:
            say_refusal(error, entry, self._report)
            return None
        if serves_http:
            check_serving(entry, self._report)
        return WasmProgram(entry, component, function, type, serves_http)


def _wit(entry: Entry) -> str | None:
    wit: Source | None = entry.data.get("wit")
    return None if wit is None else wit.text


def _check_imports(component: Component) -> None:
    """Raise LinkError where it imports one of our interfaces with other types than ours; entries grant some or none."""
    if component.imports:
        from wippywasm.app.funcs_host import Funcs, NoApp
        from wippywasm.wasi import Wasi
        from wippywasm.wasi.wasi import granted

        funcs = granted(Funcs(NoApp()), ["funcs"])
        component.link(funcs, wasi=Wasi(stdout=None, stderr=None), undeclared="deny")


def limits_of(entry: Entry) -> Limits:
    """What the entry lets each of its instances have."""
    settings = entry.data.get("limits") or {}
    return Limits(**{name: settings[name] for name in _LIMITS if name in settings})
