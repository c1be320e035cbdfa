"""Entries whose component is composed of several: `with` names the entries whose components are plugged into it.

In: entries and the sources of all of them. Out: the source of each, composed where it says so; a problem where the
parts do not fit. A plug may have plugs of its own.

Spec: component-model `Explainer.md` (component definitions); `composition`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from wippywasm.app.entry import Entry
from wippywasm.app.programs.components import Source
from wippywasm.app.report import Report
from wippywasm.composition import Part, composed, part_of
from wippywasm.engine import wat2wasm
from wippywasm.errors import BinaryError, WatSyntaxError, WippyError


def compose_sources(entries: Iterable[Entry], sources: Mapping[str, Source], report: Report) -> dict[str, Source]:
    """The sources of the entries by id. One that can't be read is left as it is: loading it says what is wrong."""
    composer = _Composer({entry.id: entry for entry in entries}, sources, report)
    return {id: composer.source(id) for id in sources}


class _Composer:
    def __init__(self, entries: Mapping[str, Entry], sources: Mapping[str, Source], report: Report) -> None:
        self._entries = entries
        self._sources = sources
        self._report = report
        self._done: dict[str, Source] = {}

    def source(self, id: str) -> Source:
        if id not in self._done:
            self._done[id] = self._sources[id]  # what a circle meets, which is a problem already
            self._done[id] = self._composed(self._entries[id], self._sources[id])
        return self._done[id]

    def _composed(self, entry: Entry, own: Source) -> Source:
        plugs = entry.data.get("with")
        if not plugs:
            return own
        try:
            parts = [part for id in plugs if (part := self._plug(id)) is not None]
            socket = _part(own, entry.id)
            return own if socket is None or len(parts) < len(plugs) else composed([socket, *parts])
        except WippyError as error:
            entry.at(self._report, "with").problem(error.message, error.hint)
            return own

    def _plug(self, id: str) -> Part | None:
        return _part(self.source(id), id) if id in self._sources else None


def _part(source: Source, id: str) -> Part | None:
    """None for what is no WebAssembly; raises InvalidError for a core module."""
    try:
        return part_of(wat2wasm(source) if isinstance(source, str) else source, f"'{id}'")
    except (BinaryError, WatSyntaxError):
        return None
