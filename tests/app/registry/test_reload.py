"""Definition files read again while the app runs. Spec: SPEC section 2."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.app.conftest import LoadApp
from wippywasm.app import App
from wippywasm.errors import DefinitionError, NotFoundError

APP = """\
- {name: f, kind: function.lua, method: main, source: "file://f.lua"}
- {name: g, kind: function.lua, method: main, source: "return function() return 'g' end"}
"""


def write(app: App, name: str, text: str) -> None:
    (app.folder / name).write_text(text)


def index(app: App) -> Path:
    return next(app.folder.rglob("*.yaml"))


def test_reload(load_app: LoadApp) -> None:
    app = load_app(APP, f_dot_lua="return function() return 1 end")

    async def main() -> None:
        async with app:
            assert await app.registry.reload() is None
            write(app, "f.lua", "return function() return 2 end")
            assert (await app.registry.reload()) is not None
            assert await app.call("t:f") == 2
            live: dict[str, Any] = {"method": "main", "source": "return function() return 'live' end"}
            await app.registry.changes().create({"id": "t:live", "kind": "function.lua", "data": live}).apply()
            text = index(app).read_text()
            index(app).write_text(text.replace("return 'g'", "return 'h'"))
            await app.registry.reload()
            assert [await app.call(f"t:{name}") for name in ("f", "g", "live")] == [2, "h", "live"]
            index(app).write_text("\n".join(line for line in text.splitlines() if "name: g" not in line))
            await app.registry.reload()
            with pytest.raises(NotFoundError):
                await app.call("t:g")

    asyncio.run(main())


def test_files_with_problems_leave_the_app_as_it_was(load_app: LoadApp) -> None:
    app = load_app(APP, f_dot_lua="return function() return 1 end")

    async def main() -> None:
        async with app:
            write(app, "f.lua", "return function( end")
            with pytest.raises(DefinitionError, match="not valid Lua"):
                await app.registry.reload()
            assert await app.call("t:f") == 1
            write(app, "f.lua", "return function() return 3 end")
            await app.registry.reload()
            assert await app.call("t:f") == 3

    asyncio.run(main())
