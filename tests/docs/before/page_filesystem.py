"""The folders that `docs/filesystem.md` mounts."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any


async def names(folder: Path, stack: AsyncExitStack) -> dict[str, Any]:
    (folder / "some/folder").mkdir(parents=True)
    (folder / "conf").mkdir()
    return {}
