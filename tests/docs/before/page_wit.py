"""Packages in text and binary form, and a component, for `docs/wit.md`."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import wippywasm
from wippywasm import wit

APP = """package my:app@1.0.0;
interface log { type level = u8; line: func(text: string, level: level); }
world command { import log; export run: func() -> u32; }
"""


async def names(folder: Path, stack: AsyncExitStack) -> dict[str, Any]:
    (folder / "app.wit").write_text(APP)
    (folder / "wrong.wit").write_text("package my:app;\ninterface i {\n  type t = strng;\n}\n")
    package = wit.parse(folder / "app.wit").main
    assert package is not None
    (folder / "package.wasm").write_bytes(wit.encode(package))
    component = wippywasm.load("examples/demo/wasm/people.wasm")
    return {"component": component, "other": wit.parse(folder / "app.wit").world()}
