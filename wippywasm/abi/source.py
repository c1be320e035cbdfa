"""Python source under construction: what the emitters of this package write into.

In: lines, blocks, constants. Out: the namespace of the compiled module, whose source `linecache` knows, so that a
traceback through generated code shows it.
"""

from __future__ import annotations

import itertools
import linecache
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from wippywasm.abi.keywords import move_aside, names_aside, rename_parameters
from wippywasm.abi.traps import COMPONENT, HOST, Boundary
from wippywasm.dataclass import dataclass
from wippywasm.errors import UnsupportedFeatureError
from wippywasm.model import ValType

MAX_SIZE = 3_000_000
"""The characters of a module, which CPython compiles in about a second."""

_numbers = itertools.count(1)
_SPLIT = "let it take less at once, or a list of what is alike"


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
    """One generated module: functions at its top level, and the constants they name."""

    def __init__(self, label: str, string_encoding: str, side: Side = HOST_SIDE) -> None:
        self.label = label
        self.string_encoding = string_encoding
        self.side = side
        self.constants: dict[str, Any] = {}
        self._constant_names: dict[int, str] = {}
        self._lines: list[str] = []
        self._size = 0
        self.counter: str | None = None
        """The variable that counts what the values under construction take of the host's memory."""
        self.counts = False
        """Whether `cx` counts that; else it is None."""
        self._depth = 0
        self._fresh = itertools.count()
        self._helpers: dict[tuple[str, ValType], str] = {}
        self._waiting: list[Callable[[], None]] = []
        self._tables: dict[tuple[str | None, ...], str] = {}

    def line(self, text: str) -> None:
        """Append one line at the current indentation. UnsupportedFeatureError where there are too many."""
        self._size += len(text)
        if self._size > MAX_SIZE:
            raise UnsupportedFeatureError("values of types with so many parts", "wippywasm", hint=_SPLIT)
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

    def helper(self, kind: str, t: ValType, args: str, body: Callable[[], None]) -> str:
        """The name of the top-level function of that kind for a type, which `body` writes, once and later."""
        name = self._helpers.get((kind, t))
        if name is None:
            name = self._helpers[kind, t] = self.name(f"{kind}_")
            self._waiting.append(lambda: self.function(name, args, body))
        return name

    def function(self, name: str, args: str, body: Callable[[], None]) -> None:
        """Write a top-level function."""
        with self.block(f"def {name}({args}):"):
            body()

    def table(self, functions: Sequence[str | None]) -> str:
        """The name of the tuple of these top-level functions, for calls by number."""
        return self._tables.setdefault(tuple(functions), f"TABLE{len(self._tables)}")

    def compile(self, factory: str, parameters: Mapping[str, str] | None = None) -> Callable[..., Any]:
        """Run the module; the function of that name. Its source is known for as long as that lives.

        `parameters` are names for parameters of generated functions, by the names that they were written with.
        """
        main = "\n".join(self._lines) + "\n"
        self._lines = []
        while self._waiting:
            self._waiting.pop()()
        self._lines += [f"{name} = ({', '.join(map(str, row))},)" for row, name in self._tables.items()]
        others: dict[str, str] = {}
        if parameters:
            others = names_aside(parameters.values(), factory)
            main = rename_parameters(main, parameters, others)
        text = main + "\n".join(self._lines) + "\n"
        filename = f"<wippywasm abi {self.label} {next(_numbers)}>"
        linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
        namespace = dict(self.constants)
        exec(compile(text, filename, "exec"), namespace)
        move_aside(namespace, others)
        made: Callable[..., Any] = namespace[factory]
        weakref.finalize(made, linecache.cache.pop, filename, None)
        return made
