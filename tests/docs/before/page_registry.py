"""An app that runs, for `docs/registry.md`."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import wippywasm

LUA = 'source: "return { main = function() return 1 end }"'
APP = f"""namespace: shop
entries:
  - {{name: old, kind: function.lua, method: main, {LUA}}}
  - {{name: price, kind: function.lua, method: main, {LUA}, meta: {{type: test}}}}
"""


async def names(folder: Path, stack: AsyncExitStack) -> dict[str, Any]:
    (folder / "shop").mkdir()
    (folder / "shop/_index.yaml").write_text(APP)
    app = await stack.enter_async_context(wippywasm.App.load(folder / "shop"))
    return {"app": app}
