"""A checkout for `docs/quick-start.md`, and its C function as it was compiled once, for where there is no network."""

from __future__ import annotations

import shutil
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from tests.docs.session import ROOT


async def names(folder: Path, stack: AsyncExitStack) -> dict[str, Any]:
    checkout = folder / "wippywasm"
    shutil.copytree(ROOT / "examples", checkout / "examples")  # no link: an app reads all files below it, and no links
    for part in ROOT.iterdir():
        if not (checkout / part.name).exists():
            (checkout / part.name).symlink_to(part)
    (folder / "app").mkdir()
    shutil.copy(Path(__file__).with_name("greet.wasm"), folder / "app")
    return {}
