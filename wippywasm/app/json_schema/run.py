"""One validation: what it may still do, and the values that it compares.

In: checks and values. Out: problems. A schema may look at the same value again and again through `anyOf` and `$ref`,
more often than any machine could; so each look is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from wippywasm.app.json_schema.problems import Place, Problem
from wippywasm.dataclass import dataclass
from wippywasm.errors import InvalidError

MAX_STEPS = 5_000_000
"""Some seconds of a thread."""
MAX_DEPTH = 200
"""Schemas that are being looked through at once; values are no deeper than 128."""

Check: TypeAlias = "Callable[[Any, Place, Run], Iterator[Problem]]"
"""Gives what one keyword has against a value at a place."""


class Run:
    """`is_loose`: an empty array stands for an empty object too, since Lua does not tell them apart."""

    def __init__(self, steps: int, *, is_loose: bool = False) -> None:
        self._is_loose = is_loose
        self._steps = steps
        self._depth = 0

    def spend(self, steps: int = 1) -> None:
        """Raise InvalidError where a validation takes more steps than it may."""
        self._steps -= steps
        if self._steps < 0:
            raise InvalidError("the schema needs too many steps for this value", hint="simplify it")

    def is_object(self, value: Any) -> bool:
        """Whether a value is an object, or may stand for an empty one."""
        return isinstance(value, dict) or (self._is_loose and value == [])

    def problems(self, node: Node, value: Any, at: Place) -> Iterator[Problem]:
        """The problems of a value, in the order of the keywords."""
        if self._depth >= MAX_DEPTH:
            raise InvalidError("the schema leads back to itself without end", hint="look at its $ref")
        self._depth += 1
        try:
            for check in node.checks:
                self.spend()
                yield from check(value, at, self)
        finally:
            self._depth -= 1

    def problem_in(self, node: Node, value: Any, at: Place) -> Problem | None:
        """The first problem of a value."""
        return next(self.problems(node, value, at), None)

    def fits(self, node: Node, value: Any, at: Place) -> bool:
        """Whether there is none."""
        return self.problem_in(node, value, at) is None

    def key(self, value: Any) -> Any:
        """What is equal for equal values and for them alone: 1 and 1.0 are, 1 and true are not."""
        self.spend()
        if isinstance(value, list):
            return ("array", *map(self.key, value))
        if isinstance(value, Mapping):
            return frozenset((name, self.key(item)) for name, item in value.items())
        return (isinstance(value, bool), value)


@dataclass(eq=False)
class Node:
    """A schema, compiled. `checks` are there once all of the document is compiled."""

    checks: tuple[Check, ...] = ()
