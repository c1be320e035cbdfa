"""Problems, gathered: every check says what it found, nobody stops at the first.

In: complaints with their place. Out: one sorted list of problems, and one of warnings.
Spec: SPEC section 2 (all problems of an app are reported at once).
"""

from __future__ import annotations

from wippywasm.app.definition.node import Node
from wippywasm.dataclass import dataclass
from wippywasm.errors import DefinitionError, Problem


class Report:
    """What is wrong with an app (`problems`), and what its author should know (`warnings`)."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []

    def raise_if_any(self) -> None:
        """Raise `DefinitionError` with every problem, in order of place, each once."""
        if self.problems:
            raise DefinitionError(in_order(self.problems))


def in_order(problems: list[Problem]) -> list[Problem]:
    """By place, without repetitions."""
    return sorted(set(problems), key=lambda p: (p.path, p.line, p.entry, p.field, p.message))


@dataclass(frozen=True)
class At:
    """A place that a check is looking at: a file, an entry, a field of it."""

    report: Report
    path: str
    line: int = 0
    entry: str = ""
    field: str = ""

    def on(self, node: Node) -> At:
        """The same field, at the place of a node."""
        return At(self.report, node.origin or self.path, 0 if node.origin else node.line, self.entry, self.field)

    def child(self, name: str, node: Node | None = None) -> At:
        """A field of this field."""
        at = At(self.report, self.path, self.line, self.entry, f"{self.field}.{name}" if self.field else name)
        return at if node is None else at.on(node)

    def item(self, index: int, node: Node) -> At:
        """An item of this field."""
        return At(self.report, self.path, self.line, self.entry, f"{self.field}[{index}]").on(node)

    def problem(self, message: str, hint: str | None = None) -> None:
        self.report.problems.append(self._said(message, hint))

    def warning(self, message: str, hint: str | None = None) -> None:
        self.report.warnings.append(self._said(message, hint))

    def _said(self, message: str, hint: str | None) -> Problem:
        return Problem(self.path, self.line, self.entry, self.field, message, hint)
