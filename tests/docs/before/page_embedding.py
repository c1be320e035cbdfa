"""A component with a resource, and a folder to mount, for `docs/embedding.md`."""

from __future__ import annotations

import shutil
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from tests.docs.session import ROOT


async def names(folder: Path, stack: AsyncExitStack) -> dict[str, Any]:
    shutil.copy(ROOT / "tests/guests/zoo.wasm", folder)
    (folder / "some/folder").mkdir(parents=True)
    return {}
