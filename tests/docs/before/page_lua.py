"""The program that `docs/lua.md` shows in its second block, for the entry in its first; a host for its Python block."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from tests.app_lua.hosts import FakeHost
from tests.docs.blocks import blocks_of
from tests.docs.session import ROOT

LIBRARY = """namespace: app.lib
entries:
  - name: fmt
    kind: library.lua
    source: "return { table = tostring }"
"""


async def names(folder: Path, stack: AsyncExitStack) -> dict[str, Any]:
    (folder / "app").mkdir()
    program = next(block for block in blocks_of(ROOT / "docs/lua.md") if block.language == "lua")
    (folder / "app/report.lua").write_text(program.text)
    (folder / "app/lib.yaml").write_text(LIBRARY)
    return {"host": FakeHost()}
