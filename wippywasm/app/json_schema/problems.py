"""What is wrong with a value, or with a schema."""

from __future__ import annotations

from wippywasm.dataclass import dataclass
from wippywasm.errors import InvalidError

Place = tuple[str | int, ...]
"""The way from a whole value down to a part of it: names and indices."""


@dataclass(frozen=True)
class Problem:
    """A part of a value that is not as a schema says."""

    at: Place
    message: str

    def __str__(self) -> str:
        return f"{shown(self.at)}: {self.message}" if self.at else self.message


class SchemaError(InvalidError):
    """A schema that is none, or that asks for what there is not."""

    def __init__(self, at: Place, message: str) -> None:
        super().__init__(f"the schema{f' at {shown(at)}' if at else ''}: {message}")


def shown(at: Place) -> str:
    """`items[2].sku`; indices count from 1, as in Lua."""
    parts = [f"[{name + 1}]" if isinstance(name, int) else f".{name:.80}" for name in at]
    return "".join(parts).removeprefix(".")
