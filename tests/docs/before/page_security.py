"""An app that runs, and what the definitions on `docs/security.md` refer to."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import wippywasm

APP = """namespace: app.api
entries:
  - {name: save, kind: function.lua, method: main, source: "return { main = function(text) return text end }"}
"""
POLICIES = """namespace: app.security
entries:
  - name: writers
    kind: security.policy
    policy: {actions: funcs.call, resources: "app.api:*", effect: allow}
    groups: [default]
"""
BESIDE = """namespace: app
entries:
  - name: may_read
    kind: security.policy
    policy: {actions: "*.get", resources: "*", effect: allow}
    groups: [workers]
"""


async def names(folder: Path, stack: AsyncExitStack) -> dict[str, Any]:
    for name, text in (("api", APP), ("policies", POLICIES)):
        (folder / "served").mkdir(exist_ok=True)
        (folder / f"served/{name}.yaml").write_text(text)
    (folder / "app").mkdir()
    (folder / "app/beside.yaml").write_text(BESIDE)
    (folder / "app/nightly.lua").write_text("return { main = function() end }")
    app = await stack.enter_async_context(wippywasm.App.load(folder / "served"))
    return {"app": app, "document": "text"}
