"""Three components for `docs/compose.md`."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import wasmtime

from tests.composition.composition_parts import FILTER, GREETER, log
from tests.docs.session import modules_entry


async def names(folder: Path, stack: AsyncExitStack) -> dict[str, Any]:
    for name, text in (("app", GREETER), ("log", FILTER), ("cache", log("@1.0.0", 1))):
        (folder / f"{name}.wasm").write_bytes(wasmtime.wat2wasm(text))
    app = modules_entry(folder)
    app.joinpath("modules/app.wasm").write_bytes(wasmtime.wat2wasm(GREETER))
    app.joinpath("log.wat").write_text(log("@1.0.0", 1))
    return {}
