"""A checkout for `docs/quick-start.md`, and its C function as it was compiled once, for where there is no network."""

from __future__ import annotations

import shutil
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from tests.docs.session import ROOT


async def names(folder: Path, stack: AsyncExitStack) -> dict[str, Any]:
    (folder / "wippywasm").symlink_to(ROOT)
    shutil.copy(Path(__file__).with_name("greet.wasm"), folder)
    return {}
