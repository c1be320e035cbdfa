"""What the modules of Lua ask of the app: a file for each module, its Lua half in `lua/prelude/`.

In: the app. Out: operations by name, `module.operation`. Adding a module is adding a row here and one in
`lua/modules.py`. Spec: SPEC section 11.
"""

from __future__ import annotations

from typing import Protocol

from wippywasm.app.lua.host import Operation
from wippywasm.app.lua_modules import (
    base64,
    ctx,
    env,
    fs,
    funcs,
    http,
    http_client,
    json,
    logger,
    process,
    registry,
    security,
    uuid,
)


class App(env.App, fs.App, http_client.App, process.App, registry.App, security.App, Protocol):
    """All that the modules need of an app."""


def operations(app: App) -> dict[str, Operation]:
    """Every operation that Lua programs of the app may ask for."""
    return {
        **base64.operations(),
        **ctx.operations(),
        **env.operations(app),
        **fs.operations(app),
        **funcs.operations(app),
        **http.operations(),
        **http_client.operations(app),
        **json.operations(),
        **logger.operations(),
        **process.operations(app),
        **registry.operations(app),
        **security.operations(app),
        **uuid.operations(),
    }
