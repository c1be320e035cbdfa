"""A component, and a guest that serves, for `docs/network.md`."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import wippywasm
from tests.docs.session import modules_entry
from tests.wasi_net import net_guests
from wippywasm.wasi import Wasi


async def names(folder: Path, stack: AsyncExitStack) -> dict[str, Any]:
    app = modules_entry(folder)
    app.joinpath("modules/fetch.wasm").write_bytes((folder / "examples/demo/wasm/people.wasm").read_bytes())
    component = wippywasm.load(net_guests.ECHO, wit=net_guests.world(net_guests.SERVER_WORLD))
    return {"guest": stack.enter_context(component.instantiate(wasi=Wasi())), "body": b"text"}
