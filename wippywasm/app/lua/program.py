"""Lua sources, and what they may require.

In: text with its place in a file, lists of modules, libraries by alias.
Out: programs and libraries compiled once, shared by all their workers. Spec: SPEC sections 2 and 11.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from functools import cached_property

from wippywasm.app.lua.compiler import compile_source
from wippywasm.app.lua.source import LuaSource
from wippywasm.dataclass import dataclass


@dataclass(frozen=True, eq=False)
class LuaLibrary:
    """A `library.lua` entry. `modules` it may require by name, `imports` are libraries by the alias it requires."""

    id: str
    source: LuaSource
    modules: frozenset[str] = frozenset()
    imports: Mapping[str, LuaLibrary] = field(default_factory=dict)

    @cached_property
    def prototype(self) -> bytes:
        """The compiled source, made once; raises `LuaError` with file and line where it does not parse."""
        return compile_source(self.source)

    def units(self) -> Iterator[LuaLibrary]:
        """This and all that it imports, each once."""
        seen: dict[LuaLibrary, None] = {self: None}
        waiting: list[LuaLibrary] = [self]
        while waiting:
            unit = waiting.pop()
            yield unit
            waiting += [library for library in unit.imports.values() if library not in seen]
            seen.update(dict.fromkeys(unit.imports.values()))


@dataclass(frozen=True, eq=False)
class LuaProgram(LuaLibrary):
    """A `function.lua` entry: a library whose `method` is called."""

    method: str = "main"

    def compile(self) -> None:
        """Compile it and all that it imports; raises the first `LuaError`."""
        for unit in self.units():
            unit.prototype  # noqa: B018  the property keeps what it made
