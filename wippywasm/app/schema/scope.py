"""What a field is checked with.

In: the entry that the field belongs to. Out: the place to complain at, the namespace for references, and the list that
gathers them.
"""

from __future__ import annotations

from dataclasses import field, replace
from pathlib import Path

from wippywasm.app.definition.node import Node
from wippywasm.app.entry import Reference
from wippywasm.app.report import At
from wippywasm.dataclass import dataclass


@dataclass(frozen=True)
class Scope:
    """`app` is the app folder, `file` the YAML file."""

    at: At
    namespace: str
    app: Path
    file: Path
    references: list[Reference] = field(default_factory=list)

    def child(self, name: str, node: Node) -> Scope:
        return replace(self, at=self.at.child(name, node))

    def item(self, index: int, node: Node) -> Scope:
        return replace(self, at=self.at.item(index, node))

    def problem(self, message: str, hint: str | None = None) -> None:
        self.at.problem(message, hint)

    def resolve(self, reference: str) -> str:
        """A reference as a full id: without `:` it is of the entry's own namespace."""
        return reference if ":" in reference else f"{self.namespace}:{reference}"


def not_yet(what: str) -> str:
    """The one way to say that something is known and comes later."""
    return f"{what} is known but not available yet"
