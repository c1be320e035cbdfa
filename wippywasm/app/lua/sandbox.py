"""One Lua state, and the only doors to it.

In: a program, limits. Out: steps of a call, as numbers and byte strings. The state holds no Python object and hands out
none: `prelude/*.lua` speaks to Python through what its functions take and return.
Spec: SPEC section 11.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from lupa.lua54 import LuaError as LupaError
from lupa.lua54 import LuaMemoryError, LuaRuntime

from wippywasm.app.lua.compiler import compile_source
from wippywasm.app.lua.limits import LuaLimits
from wippywasm.app.lua.modules import KNOWN_MODULES
from wippywasm.app.lua.program import LuaProgram
from wippywasm.app.lua.source import LuaSource
from wippywasm.app.lua.wire import Streams
from wippywasm.errors import LuaError

PRELUDE = ("kernel", "patterns", "errors", "library", "wire", "typed", "funcs", "json", "driver")
_PRELUDE_MEMORY = 1 << 20
_SLACK = 256 << 10
"""Lua memory beyond the limit for what Python hands over: a push that fails there would abort the process."""


@dataclass(frozen=True, slots=True)
class Step:
    """Why a call stopped: what it printed, a request or outcome, its two values, its streams."""

    printed: bytes
    op: int
    text: bytes
    number: int
    streams: Streams


class SandboxFullError(Exception):
    """The state's memory is used up where the program can't be told."""


class Sandbox:
    """A Lua state with a program in it. Not for two threads at once."""

    def __init__(self, program: LuaProgram, limits: LuaLimits) -> None:
        program.compile()
        self._limit = limits.memory_bytes
        size = sum(len(unit.prototype) for unit in program.units())
        if size > self._limit // 4:
            raise LuaError(f"{program.id}: the compiled program takes {size} of the {self._limit} bytes it may use")
        self._lua = LuaRuntime(
            encoding=None,
            register_eval=False,
            register_builtins=False,
            attribute_filter=_refuse_attribute,
            max_memory=self._limit + _PRELUDE_MEMORY,
        )
        shared = self._lua.table()
        self._set_limits(shared, limits)
        for chunk in prelude():
            self._lua.compile(chunk, mode="b")(shared)
        self._add_units(shared, program)
        self._deliver, self._start, self._step, self._cancel = (
            shared[name] for name in (b"deliver", b"start", b"step", b"cancel")
        )
        self._clear_globals()
        self._lua.set_max_memory(self._limit)

    def _set_limits(self, shared: Any, limits: LuaLimits) -> None:
        shared[b"modules"] = self._lua.table()
        shared[b"known_modules"] = self._lua.table_from({name.encode(): True for name in KNOWN_MODULES})
        shared[b"limits"] = self._lua.table_from(
            {
                b"instructions": limits.instructions,
                b"busy_seconds": limits.busy_seconds,
                b"values": limits.values,
                b"depth": limits.depth,
            }
        )

    def _add_units(self, shared: Any, program: LuaProgram) -> None:
        units = {unit: number for number, unit in enumerate(program.units(), 1)}
        for unit, number in units.items():
            modules = " ".join(sorted(unit.modules)).encode()
            shared[b"add_unit"](number, unit.id.encode(), unit.prototype, modules)
            for alias, library in unit.imports.items():
                shared[b"add_import"](number, alias.encode(), units[library])
        shared[b"method"] = program.method.encode()

    def _clear_globals(self) -> None:
        names = self._lua.globals()
        for name in list(names):
            del names[name]

    def begin(self, count: int, streams: tuple[bytes, bytes, bytes]) -> Step:
        """Start a call with `count` arguments."""
        self._hand_over(count, *streams)
        return self._run(self._start)

    def reply(self, *reply: Any) -> Step:
        """Answer the request that the last step ended with."""
        self._hand_over(*reply)
        return self._run(None)

    def cancel(self) -> bytes:
        """End a call that waits; gives what it printed last."""
        try:
            return bytes(self._cancel())
        except LupaError:
            return b""

    def _hand_over(self, *values: Any) -> None:
        """Push values with room beyond the limit, in a step of its own, so that the program never has that room."""
        size = sum(len(value) for value in values if isinstance(value, bytes))
        self._lua.set_max_memory(max(self._lua.get_memory_used(), self._limit) + size + _SLACK)
        try:
            self._deliver(*values)
        except LupaError as error:
            _full(error)
        finally:
            self._lua.set_max_memory(self._limit)

    def _run(self, first: Any) -> Step:
        try:
            if first is not None:
                first()
            printed, op, text, number, *streams = self._step()
            streams = streams or [b""] * 6
        except LupaError as error:
            _full(error)
        return Step(printed, op, text, number, tuple(streams))

    def close(self) -> None:
        """Free the state."""
        self._deliver = self._start = self._step = self._cancel = self._lua = None


def _full(error: LupaError) -> NoReturn:
    if isinstance(error, LuaMemoryError):
        raise SandboxFullError from None
    raise error


def _refuse_attribute(_object: Any, name: Any, _setting: bool) -> NoReturn:
    raise AttributeError(name)


@cache
def prelude() -> tuple[bytes, ...]:
    folder = Path(__file__).parent / "prelude"
    texts = ((folder / f"{name}.lua").read_text(encoding="utf-8") for name in PRELUDE)
    return tuple(compile_source(LuaSource(text, "[wippy]")) for text in texts)
