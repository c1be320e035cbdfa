"""A component for `docs/inspect.md`."""

from __future__ import annotations

import shutil
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from tests.docs.session import ROOT


async def names(folder: Path, stack: AsyncExitStack) -> dict[str, Any]:
    shutil.copy(ROOT / "examples/demo/wasm/people.wasm", folder / "mapper.wasm")
    (folder / "shop").mkdir()
    return {}
