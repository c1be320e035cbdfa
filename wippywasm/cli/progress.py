"""A progress bar for what takes long, on a terminal only.

In: how many of how many are done. Out: a bar on standard error once it has taken a while; it is gone at the end.
Spec: SPEC section 3.
"""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

PATIENCE = 0.5
"""Seconds before a bar appears."""


class ProgressBar:
    """Called with `(done, total)`; a context that removes the bar."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._start = time.monotonic()
        self._bar: Any = None
        self._task: Any = None

    def __call__(self, done: int, total: int) -> None:
        if self._bar is None and done < total and self._is_wanted():
            self._open(total)
        if self._bar is not None:
            self._bar.update(self._task, completed=done)

    def _is_wanted(self) -> bool:
        return sys.stderr.isatty() and time.monotonic() - self._start > PATIENCE

    def _open(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        class Terminal(Console):
            """One that keeps its cursor: SIGINT ends the process at once, and nobody would bring it back."""

            def show_cursor(self, show: bool = True) -> bool:
                return False

        columns = (TextColumn(self._what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bar = Progress(*columns, console=Terminal(stderr=True), transient=True)
        self._task = self._bar.add_task(self._what, total=total)
        self._bar.start()

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
