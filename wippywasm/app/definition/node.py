"""A YAML value that knows where it stands.

In: what the reader composed. Out: immutable nodes; aliases share them, so `size` (the number of values that the node
expands to) and `depth` can be far larger than the text shows; the reader bounds both.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from wippywasm.dataclass import dataclass

Scalar: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Node:
    """`line` (from 1) is where a reader looks for the value: its key's line, or its own in a list.

    `origin` is set where the value did not come from the file, such as `-o demo:x:pool.size=3`; `variable` names the
    environment variable whose value it is.
    """

    value: Scalar | tuple[Node, ...] | Mapping[str, Node]
    line: int
    size: int = 1
    depth: int = 1
    origin: str = ""
    variable: str = ""

    @property
    def is_mapping(self) -> bool:
        return isinstance(self.value, Mapping)

    @property
    def mapping(self) -> Mapping[str, Node]:
        """The entries of a mapping; nothing for any other value."""
        return self.value if isinstance(self.value, Mapping) else MappingProxyType({})

    @property
    def items(self) -> tuple[Node, ...]:
        """The items of a list; nothing for any other value."""
        return self.value if isinstance(self.value, tuple) else ()

    def text(self, key: str) -> str:
        """The text under `key`, or an empty one where there is none or it is something else."""
        child = self.mapping.get(key)
        return child.value if child is not None and isinstance(child.value, str) else ""

    def plain(self) -> Any:
        """The value without places: read-only mappings, tuples and scalars."""
        value = self.value
        if isinstance(value, Mapping):
            return MappingProxyType({key: child.plain() for key, child in value.items()})
        if isinstance(value, tuple):
            return tuple(child.plain() for child in value)
        return value

    def describe(self) -> str:
        """What it is, in a few words: `number 5`, `text 'abc'`, `a list`. The value of a variable may be a secret."""
        if self.variable:
            return f"the value of ${{env:{self.variable}}}"
        return describe(self.value)


def describe(value: Any) -> str:
    """A value in a few words, for messages."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"number {value}"
    if isinstance(value, str):
        return f"text {_cut(value)!r}"
    return "a mapping" if isinstance(value, Mapping) else "a list"


def _cut(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
