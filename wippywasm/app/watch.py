"""Definition files and sources, watched while an app runs.

In: a running app. Out: its registry reloaded whenever a file of its folder is other than before; what came of it is
told. Files are looked at, not subscribed to: that works on every filesystem, and a look at a thousand files takes some
milliseconds. A change is taken up when two looks in a row see the same, so that half-written files are not read.
Spec: SPEC section 2.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol, TypeAlias

from wippywasm.app.registry import Registry, Version
from wippywasm.errors import WippyError

INTERVAL = 0.3
"""Seconds between two looks."""
MAX_FILES = 100_000
_PASSED_OVER = frozenset({"node_modules", "__pycache__"})

Outcome: TypeAlias = Version | WippyError
Look: TypeAlias = Mapping[str, tuple[int, int]]
"""Size and time of each file."""


class Watched(Protocol):
    """The part of an app that is watched."""

    @property
    def registry(self) -> Registry: ...
    @property
    def folder(self) -> Path: ...


async def watch(app: Watched, tell: Callable[[Outcome], None], interval: float = INTERVAL) -> None:
    """Reload `app` at each change, until cancelled; `tell` hears of each new version, and of each refusal."""
    seen = waiting = await asyncio.to_thread(look, app.folder)
    await _reload(app, tell)  # what was changed since the app was loaded
    while True:
        await asyncio.sleep(interval)
        now = await asyncio.to_thread(look, app.folder)
        if now == waiting and now != seen:
            seen = now
            await _reload(app, tell)
        waiting = now


async def _reload(app: Watched, tell: Callable[[Outcome], None]) -> None:
    try:
        version = await app.registry.reload()
    except WippyError as error:
        tell(error)
    else:
        if version is not None:
            tell(version)


def look(folder: Path) -> Look:
    """Every file of a folder that is not hidden; those that go while it looks are passed over."""
    found: dict[str, tuple[int, int]] = {}
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in _PASSED_OVER]
        for name in names:
            path = os.path.join(place, name)
            try:
                facts = os.stat(path)
            except OSError:
                continue
            found[path] = facts.st_size, facts.st_mtime_ns
        if len(found) > MAX_FILES:
            break
    return found
