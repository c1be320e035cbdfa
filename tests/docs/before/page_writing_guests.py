"""The page on writing guests builds what the quick start has the types of."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from tests.docs.blocks import blocks_of

ROOT = Path(__file__).resolve().parents[3]


async def names(folder: Path, stack: contextlib.AsyncExitStack) -> dict[str, Any]:
    [types] = [b for b in blocks_of(ROOT / "docs/quick-start.md") if b.notes.get("file") == "app/words.wit"]
    (folder / "words.wit").write_text(types.text)
    return {}
