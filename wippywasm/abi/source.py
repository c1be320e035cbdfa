"""Python source under construction: what the emitters of this package write into.

In: lines, blocks, constants. Out: a function of the compiled module, whose source `linecache` knows, so that a
traceback through generated code shows it. What types have helpers for is written and compiled when it is first called:
CPython takes a hundred bytes for a character that it compiles, so there is never much of it at once, and code for what
no value has is never made.
"""

from __future__ import annotations

import itertools
import linecache
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from types import CodeType
from typing import Any, cast

from wippywasm.abi.bounds import too_many_parts
from wippywasm.abi.keywords import move_aside, names_aside, rename_parameters
from wippywasm.abi.traps import COMPONENT, HOST, Boundary
from wippywasm.dataclass import dataclass
from wippywasm.model import ValType

MAX_SIZE = 1_000_000
"""The characters of a module with its helpers, which take half a second to write and compile, or a little more."""

_numbers = itertools.count(1)
_writing = threading.RLock()
"""Whoever has it writes and compiles helpers, which calls in several threads may ask for."""


@dataclass(frozen=True)
class Side:
    """What stands on the other side of a function: the host, or another component.

    `pairs` leaves maps as the lists of pairs that they are between components; with `arrays`, lists of numbers come out
    as `array.array`; `stepwise` functions are coroutines that await each call into the guest. With `raises`, functions
    whose result is a `result` return its ok, and raise its err as `WitError`.
    """

    boundary: Boundary = HOST
    pairs: bool = False
    arrays: bool = False
    stepwise: bool = False
    raises: bool = False


HOST_SIDE = Side()
ARRAY_SIDE = Side(arrays=True)
PYTHON_SIDE = Side(raises=True)
STEPWISE_SIDE = Side(stepwise=True, raises=True)
COMPONENT_SIDE = Side(COMPONENT, pairs=True, arrays=True)


class Source:
    """One generated module: functions at its top level, and the constants they name.

    Its helpers are functions of the same namespace, each written into a source of its own.
    """

    def __init__(self, label: str, string_encoding: str, side: Side = HOST_SIDE, dense: bool = False) -> None:
        self.label = label
        self.string_encoding = string_encoding
        self.side = side
        self.dense = dense
        """Whether all types that are not leaves have helpers."""
        self.constants: dict[str, Any] = {}
        self.counts = False
        """Whether `cx` counts what the values under construction take of the host's memory; else it is None."""
        self.counter: str | None = None
        """The variable that counts it where they are written."""
        self._constant_names: dict[int, str] = {}
        self._helpers: dict[tuple[str, ValType], str] = {}
        self._helper_numbers = itertools.count()
        self._waiting: dict[str, tuple[str, Callable[[Source], None]]] = {}
        self._texts = _Texts(label)
        self._begin()

    def _begin(self) -> None:
        self._lines: list[str] = []
        self._depth = 0
        self._fresh = itertools.count()

    def line(self, text: str) -> None:
        """Append one line at the current indentation."""
        self._lines.append("    " * self._depth + text)

    @contextmanager
    def block(self, header: str) -> Iterator[None]:
        """Append a compound statement; lines inside the `with` are its body."""
        self.line(header)
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

    def name(self, prefix: str = "v") -> str:
        """A variable name that no other has."""
        return f"{prefix}{next(self._fresh)}"

    @contextmanager
    def capture(self) -> Iterator[list[str]]:
        """Collect the lines written inside the `with` instead of appending them; `paste` appends them."""
        outer, self._lines = self._lines, []
        try:
            yield self._lines
        finally:
            self._lines = outer

    def paste(self, lines: list[str]) -> None:
        """Append captured lines."""
        self._lines += lines

    def constant(self, value: Any, prefix: str = "K") -> str:
        """The name of a constant; the same object keeps its name."""
        name = self._constant_names.get(id(value))
        if name is None:
            name = self._constant_names[id(value)] = f"{prefix}{len(self.constants)}"
            self.constants[name] = value
        return name

    def use(self, function: Callable[..., Any]) -> str:
        """The name of a function of ours that generated code calls."""
        self.constants[function.__name__] = function
        return function.__name__

    def helper(self, kind: str, t: ValType, args: str, body: Callable[[Source], None]) -> str:
        """The name of the top-level function of that kind for a type, which `body` writes when it is first called."""
        name = self._helpers.get((kind, t))
        if name is None:
            name = self._helpers[kind, t] = f"{kind}_{next(self._helper_numbers)}"
            self._waiting[name] = args, body
            self.constants[name] = lambda *given: self._made(name)(*given)
        return name

    def _made(self, name: str) -> Callable[..., Any]:
        """A helper, which is written now unless it has been. Raises UnsupportedFeatureError."""
        with _writing:
            if name in self._waiting:
                w = copy(self)
                w._begin()
                w.counter = None
                w.function(name, *self._waiting[name])
                w._run(w._text())
                self._waiting.pop(name, None)
        made: Callable[..., Any] = self.constants[name]
        return made

    def table(self, types: Sequence[ValType | None], helper: Callable[[ValType], str]) -> str:
        """The name of a table of the helpers that `helper` names for types, or of None, by number."""

        def made(number: int) -> Callable[..., Any] | None:
            t = types[number]
            with _writing:
                return None if t is None else self._made(helper(t))

        return self.constant(_Table(made), "TABLE")

    def function(self, name: str, args: str, body: Callable[[Source], None]) -> None:
        """Write a top-level function."""
        with self.block(f"def {name}({args}):"):
            body(self)

    def compile(self, factory: str, parameters: Mapping[str, str] | None = None) -> Callable[..., Any]:
        """Run the module; the function of that name. Its source is known for as long as that lives.

        `parameters` are names for parameters of generated functions, by the names that they were written with.
        """
        text, others = self._text(), {}
        if parameters:
            others = names_aside(parameters.values(), factory)
            text = rename_parameters(text, parameters, others)
        self._run(text)
        move_aside(self.constants, others)
        made: Callable[..., Any] = self.constants[factory]
        weakref.finalize(made, self._texts.forget)
        return made

    def _text(self) -> str:
        lines, self._lines = self._lines, []
        return "\n".join(lines) + "\n"

    def _run(self, text: str) -> None:
        """Define what a text defines, for all of the module."""
        exec(self._texts.compile(text), self.constants)


class _Texts:
    """The texts of a module, in `linecache` until it is forgotten."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._names: list[str] = []
        self._size = 0

    def compile(self, text: str) -> CodeType:
        """The code of one more. UnsupportedFeatureError where they are too many."""
        if self._size + len(text) > MAX_SIZE:
            raise too_many_parts()
        self._size += len(text)
        name = f"<wippywasm abi {self._label} {next(_numbers)}>"
        code = compile(text, name, "exec")
        linecache.cache[name] = (len(text), None, cast("list[str]", _Lines(text)), name)
        self._names.append(name)
        return code

    def forget(self) -> None:
        for name in self._names:
            linecache.cache.pop(name, None)


class _Lines(Sequence[str]):
    """The lines of a text, of which each would take as much again as it is long."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __len__(self) -> int:
        return self._text.count("\n")

    def __getitem__(self, at: Any) -> Any:
        return self._text.splitlines(keepends=True)[at]


class _Table(dict[int, "Callable[..., Any] | None"]):
    """Functions by number, each made when it is first asked for."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[[int], Callable[..., Any] | None]) -> None:
        self._make = make

    def __missing__(self, number: int) -> Callable[..., Any] | None:
        made = self[number] = self._make(number)
        return made
