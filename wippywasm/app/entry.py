"""A checked entry: immutable, its values plain, its references full ids.

In: what the schema made of a raw entry. Out: what the registry holds and everyone reads.
Spec: SPEC section 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from wippywasm.app.report import At, Report
from wippywasm.dataclass import dataclass


@dataclass(frozen=True)
class Reference:
    """A field that names another entry, and the kinds that it may name."""

    id: str
    kinds: tuple[str, ...]
    field: str
    path: str
    line: int


@dataclass(frozen=True)
class Source:
    """A text in place or in a file; `path` is that file as messages call it, `first_line` where the text begins."""

    text: str = field(repr=False)
    path: str
    first_line: int = 1

    def line(self, number: int) -> int:
        """The line of the file for a line of the text, both from 1."""
        return self.first_line + max(number, 1) - 1


@dataclass(frozen=True)
class Entry:
    """One entry of the registry.

    `data` has the kind's fields: text, numbers, tuples and read-only mappings; references as full ids, sources as
    `Source`. `lines` tells where each field stands in `path`; `valid` is False where the schema found a problem.
    """

    id: str
    kind: str
    meta: Mapping[str, Any]
    data: Mapping[str, Any]
    path: str
    line: int
    lines: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    references: tuple[Reference, ...] = field(default=(), repr=False)
    file: Path | None = field(default=None, repr=False)
    valid: bool = field(default=True, repr=False)

    @property
    def namespace(self) -> str:
        return self.id.partition(":")[0]

    @property
    def name(self) -> str:
        return self.id.partition(":")[2]

    def at(self, report: Report, name: str = "") -> At:
        """The place of the entry, or of one of its fields."""
        return At(report, self.path, self.lines.get(name, self.line), self.id, name)
