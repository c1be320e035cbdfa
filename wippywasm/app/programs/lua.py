"""Lua entries to programs.

In: checked Lua entries. Out: for each function a program with its libraries, or a problem for each source that does not
parse. Spec: SPEC sections 2 and 11.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from wippywasm.app.entry import Entry, Source
from wippywasm.app.report import At, Report

if TYPE_CHECKING:
    from wippywasm.app.lua.program import LuaLibrary, LuaProgram
    from wippywasm.app.lua.source import LuaSource

_PROGRAMS = ("function.lua", "process.lua")
_PLACE = re.compile(r"\A.*?:(\d+): ", re.DOTALL)


def check_sources(entries: Sequence[Entry], report: Report) -> None:
    """A problem for every Lua source that does not parse."""
    for entry in entries:
        _check_source(entry, report)


def build_lua(entries: Sequence[Entry], by_id: Mapping[str, Entry]) -> dict[str, LuaProgram]:
    """The programs of all Lua functions and processes; to be called when there are no problems, circles above all."""
    builder = _Builder(by_id)
    return {entry.id: builder.program(entry) for entry in entries if entry.kind in _PROGRAMS}


def _check_source(entry: Entry, report: Report) -> None:
    from wippywasm.app.lua.compiler import check_syntax

    source: Source = entry.data["source"]
    error = check_syntax(source.text, source.path, source.first_line)
    if error is None:
        return
    place = _PLACE.match(error.message)
    line = int(place[1]) if place else source.first_line
    said = error.message[place.end() :] if place else error.message
    At(report, source.path, line, entry.id, "source").problem(f"not valid Lua: {said}", error.hint)


class _Builder:
    """Makes each library once, those it imports before it; without recursion, since a chain of imports may be long."""

    def __init__(self, by_id: Mapping[str, Entry]) -> None:
        self._by_id = by_id
        self._libraries: dict[str, LuaLibrary] = {}

    def program(self, entry: Entry) -> LuaProgram:
        from wippywasm.app.lua.program import LuaProgram

        self._make_libraries(_imports(entry).values())
        return LuaProgram(entry.id, *self._parts(entry), entry.data["method"])

    def _make_libraries(self, ids: Iterable[str]) -> None:
        from wippywasm.app.lua.program import LuaLibrary

        waiting = list(ids)
        while waiting:
            entry = self._by_id[waiting[-1]]
            missing = [id for id in _imports(entry).values() if id not in self._libraries]
            if missing:
                waiting += missing
                continue
            waiting.pop()
            if entry.id not in self._libraries:
                self._libraries[entry.id] = LuaLibrary(entry.id, *self._parts(entry))

    def _parts(self, entry: Entry) -> tuple[LuaSource, frozenset[str], dict[str, LuaLibrary]]:
        from wippywasm.app.lua.source import LuaSource

        source: Source = entry.data["source"]
        imports = {alias: self._libraries[id] for alias, id in _imports(entry).items()}
        modules = frozenset(entry.data.get("modules") or ())
        return LuaSource(source.text, source.path, source.first_line), modules, imports


def _imports(entry: Entry) -> Mapping[str, str]:
    return entry.data.get("imports") or {}
