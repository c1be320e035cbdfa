"""One Lua state, and the only doors to it.

In: a program, limits. Out: steps of a call, as numbers and byte strings. The state holds no Python object
but a flag, and hands out none: `prelude/*.lua` speaks to Python through what its functions take and return.
Spec: SPEC section 11.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from lupa.lua54 import LuaError as LupaError
from lupa.lua54 import LuaMemoryError, LuaRuntime

from wippywasm.app.lua.compiler import compile_source
from wippywasm.app.lua.limits import LuaLimits
from wippywasm.app.lua.modules import MODULES
from wippywasm.app.lua.program import LuaProgram
from wippywasm.app.lua.source import LuaSource
from wippywasm.app.lua.wire import Streams
from wippywasm.dataclass import dataclass
from wippywasm.errors import LuaError

_FOUNDATION = ("kernel", "patterns", "errors", "scheduler", "channel", "more_math", "library", "wire", "objects")
PRELUDE = (*_FOUNDATION, "host", "identities", "process", "driver")
"""What every sandbox has; which modules it has beyond that its units declare."""
_MAIN = 1
_PRELUDE_MEMORY = 2 << 20
_SLACK = 256 << 10
"""Lua memory beyond the limit for what Python hands over: a push that fails there would abort the process."""


@dataclass(frozen=True, slots=True)
class Step:
    """Why a call stopped: what it printed, a request or outcome, its two values, its streams.

    `fiber` asks; `alone` says that there is no other.
    """

    printed: bytes
    alone: bool
    fiber: int
    op: int
    text: bytes
    number: int
    streams: Streams


class SandboxFullError(Exception):
    """The state's memory is used up where the program can't be told."""


class Sandbox:
    """A Lua state with a program in it. Not for two threads at once.

    While it computes it asks `interrupted` now and then, and ends for good where that says so.
    """

    def __init__(self, program: LuaProgram, limits: LuaLimits, interrupted: Callable[[], bool]) -> None:
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
        shared[b"interrupted"] = interrupted
        declared = {name for unit in program.units() for name in unit.modules}
        for name in (*PRELUDE, *(part for module in MODULES if module in declared for part in MODULES[module])):
            self._lua.compile(prelude(name), mode="b")(shared)
        self._add_units(shared, program)
        self._deliver, self._start, self._step, self._cancel = (
            shared[name] for name in (b"deliver", b"start", b"step", b"cancel")
        )
        self._clear_globals()
        self._lua.set_max_memory(self._limit)

    def _set_limits(self, shared: Any, limits: LuaLimits) -> None:
        shared[b"modules"] = self._lua.table()
        shared[b"known_modules"] = self._lua.table_from({name.encode(): True for name in MODULES})
        shared[b"limits"] = self._lua.table_from(
            {
                b"instructions": limits.instructions,
                b"busy_seconds": limits.busy_seconds,
                b"values": limits.values,
                b"depth": limits.depth,
                b"renews": limits.renews,
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
        self.hand_over(_MAIN, count, *streams)
        return self._run(self._start)

    def go_on(self) -> Step:
        """Run until the program has a request, waits, or ends."""
        return self._run(None)

    def cancel(self) -> bytes:
        """End a call that waits; gives what it printed last. Raises `SandboxFullError`."""
        try:
            return bytes(self._cancel())
        except LupaError as error:
            _full(error)

    def hand_over(self, target: int, *values: Any) -> None:
        """Give a fiber the answer to its request, or a source (its number, negated) its event.

        They are pushed with room beyond the limit, in a step of its own, so that the program never has that room.
        """
        size = sum(len(value) for value in values if isinstance(value, bytes))
        self._lua.set_max_memory(max(self._lua.get_memory_used(), self._limit) + size + _SLACK)
        try:
            self._deliver(target, *values)
        except LupaError as error:
            _full(error)
        finally:
            self._lua.set_max_memory(self._limit)

    def _run(self, first: Any) -> Step:
        try:
            if first is not None:
                first()
            printed, alone, fiber, op, text, number, *streams = self._step()
            streams = streams or [b""] * 6
        except LupaError as error:
            _full(error)
        return Step(printed, alone, fiber, op, text, number, tuple(streams))

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
def prelude(name: str) -> bytes:
    """A part of the prelude, compiled once."""
    text = (Path(__file__).parent / "prelude" / f"{name}.lua").read_text(encoding="utf-8")
    return compile_source(LuaSource(text, "[wippy]"))
