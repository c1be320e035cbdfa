"""The conformance runner: `python -m spec_tests PATH… [--engine E] [--json]`.

In: folders or files of vectors. Out: per file and in total what passed, failed and was skipped, each skip with its
reason. A runner for a kind of vector is a module with `find(path)` and `run(case, options)`; `__main__` has the list.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True)
class Options:
    """What the command line chose; `engine` None is the default engine."""

    engine: str | None = None


@dataclass
class FileResult:
    """What became of the assertions of one file: how many held, and the others by name with the reason.

    `validated` are those of `passed` that define what could not be instantiated, with the reason; `unread` those of
    `skipped` whose text the text parser does not take, which may be a mistake of whoever wrote it.
    """

    path: Path
    passed: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    validated: list[tuple[str, str]] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        def rows(items: list[tuple[str, str]]) -> list[dict[str, str]]:
            return [{"name": name, "reason": reason} for name, reason in items]

        return {
            "path": str(self.path),
            "passed": self.passed,
            "failed": rows(self.failed),
            "skipped": rows(self.skipped),
            "validated": rows(self.validated),
            "unread": self.unread,
        }


class Runner(Protocol):
    """A kind of vectors."""

    def find(self, path: Path) -> Iterable[Path]:
        """The cases of this kind at or below `path`, in order."""
        ...

    def run(self, case: Path, options: Options) -> FileResult:
        """Runs one case. Raises nothing: what goes wrong is a failure of the case."""
        ...
