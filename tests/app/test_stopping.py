"""What becomes of calls whose app stops."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from tests.app.conftest import LoadApp
from wippywasm.app import App
from wippywasm.errors import UnavailableError

SPIN = "source: '(module (func (export \"f\") (loop $l (br $l))))'"
ENDLESS = {
    "inline": f"{{name: f, kind: function.wat, method: f, pool: {{type: inline}}, {SPIN}}}",
    "static": f"{{name: f, kind: function.wat, method: f, pool: {{type: static, workers: 1}}, {SPIN}}}",
    "lazy": f"{{name: f, kind: function.wat, method: f, pool: {{type: lazy, max_size: 1}}, {SPIN}}}",
    "adaptive": f"{{name: f, kind: function.wat, method: f, pool: {{type: adaptive, max_size: 1}}, {SPIN}}}",
    "threads": f"{{name: f, kind: function.wat, method: f, pool: {{worker_class: wasm, workers: 1}}, {SPIN}}}",
    "spinning Lua": "{name: f, kind: function.lua, method: main, source: "
    "'return {main = function() while true do pcall(function() while true do end end) end end}'}",
    "sleeping Lua": "{name: f, kind: function.lua, method: main, modules: [time], source: "
    '\'local time = require("time") return {main = function() time.sleep("1h") end}\'}',
    "nested": '{name: f, kind: function.lua, method: main, modules: [funcs], source: \'local funcs = require("funcs") '
    'return {main = function() while true do pcall(funcs.call, "t:g") end end}\'}\n'
    f"- {{name: g, kind: function.wat, method: f, pool: {{type: inline}}, {SPIN}}}",
}


async def stop(app: App, grace: float) -> list[BaseException]:
    """Three calls, of which shared workers serve one, when the app has stopped."""
    await app.start()
    calls = [asyncio.ensure_future(app.call("t:f")) for _ in range(3)]
    await asyncio.sleep(0.1)
    await asyncio.wait_for(app.close(grace=grace), 60)
    ended = await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 60)
    assert app.metrics() == {}
    return ended


@pytest.mark.parametrize("kind", ENDLESS)
@pytest.mark.parametrize("grace", [0, 0.1])
def test_calls_that_do_not_end_are_ended_with_the_app(load_app: LoadApp, kind: str, grace: float) -> None:
    ended = asyncio.run(stop(load_app(f"- {ENDLESS[kind]}\n"), grace))
    assert [type(error) for error in ended] == [UnavailableError] * 3
    assert {str(error.details["entry"]) for error in ended if isinstance(error, UnavailableError)} == {"t:f"}


def test_a_task_whose_call_was_ended_goes_on(load_app: LoadApp) -> None:
    app = load_app(f"- {ENDLESS['inline']}\n")

    async def caller() -> str:
        with suppress(UnavailableError):
            await app.call("t:f")
        await asyncio.sleep(0)
        return "on"

    async def main() -> str:
        async with app:
            task = asyncio.ensure_future(caller())
            await asyncio.sleep(0.1)
            await app.close(grace=0)
        return await asyncio.wait_for(task, 60)

    assert asyncio.run(main()) == "on"


def test_a_call_that_its_caller_cancels_while_the_app_stops_is_cancelled(load_app: LoadApp) -> None:
    app = load_app(f"- {ENDLESS['sleeping Lua']}\n")

    async def main() -> None:
        await app.start()
        task = asyncio.ensure_future(app.call("t:f"))
        await asyncio.sleep(0.1)
        closing = asyncio.ensure_future(app.close(grace=60))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(closing, 60)

    asyncio.run(main())
