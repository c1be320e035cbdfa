"""A pattern as a tree."""

from __future__ import annotations

from typing import TypeAlias

from wippywasm.app.security.regex.charset import Charset
from wippywasm.dataclass import dataclass


@dataclass(frozen=True)
class Begin:
    """The start of the text."""


@dataclass(frozen=True)
class End:
    """The end of the text."""


@dataclass(frozen=True)
class Sequence:
    items: tuple[Node, ...]


@dataclass(frozen=True)
class Choice:
    items: tuple[Node, ...]


@dataclass(frozen=True)
class Repeat:
    """At least `least` times, at most `most`; None is without end."""

    item: Node
    least: int
    most: int | None


Node: TypeAlias = "Charset | Begin | End | Sequence | Choice | Repeat"
