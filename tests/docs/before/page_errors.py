"""The app that `docs/errors.md` shows a problem of."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

SHOP = """namespace: shop
entries:
  - name: total
    kind: function.wat
    source: (module (func (export "total")))
    method: total
    pool: {type: lasy}
"""


async def names(folder: Path, stack: AsyncExitStack) -> dict[str, Any]:
    (folder / "shop").mkdir()
    (folder / "shop/_index.yaml").write_text(SHOP)
    return {}
