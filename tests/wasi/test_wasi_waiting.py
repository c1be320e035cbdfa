"""Commands that wait, run by tasks: the event loop goes on meanwhile."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from tests.wasi.conftest import Load
from tests.wasi.test_wasi_run import CAT, NAME, command
from tests.wasi.wasi_guests import world
from wippywasm.wasi import Capture, Wasi, run_command_async

SLEEPER = command(
    f"""(func (export "{NAME}") (result i32) (local $p i32)
      (call $block (local.tee $p (call $subscribe (i64.const 50000000)))) (call $drop (local.get $p)) (i32.const 0))""",
    """(import "wasi:clocks/monotonic-clock@0.2.12" "subscribe-duration" (func $subscribe (param i64) (result i32)))
    (import "wasi:io/poll@0.2.12" "[method]pollable.block" (func $block (param i32)))
    (import "wasi:io/poll@0.2.12" "[resource-drop]pollable" (func $drop (param i32)))""",
)
SLEEPER_WORLD = "import wasi:clocks/monotonic-clock@{v}; import wasi:io/poll@{v}; export wasi:cli/run@{v};"


def test_many_sleeping_commands_share_one_loop(load: Load) -> None:
    module: Any = load(SLEEPER, wit=world(SLEEPER_WORLD))
    module.kind = "component"

    async def all_of_them() -> float:
        started = time.monotonic()
        codes = await asyncio.gather(*(run_command_async(module, Wasi(stdout=None, stderr=None)) for _ in range(100)))
        assert codes == [0] * 100
        return time.monotonic() - started

    assert asyncio.run(all_of_them()) < 100 * 0.05


def test_a_command_that_waits_for_its_input_lets_the_loop_go_on(load: Load) -> None:
    async def copying() -> bytes:
        parts: asyncio.Queue[bytes] = asyncio.Queue()

        async def read(limit: int) -> bytes:
            return await parts.get()

        out = Capture()
        running = asyncio.ensure_future(run_command_async(load(CAT), Wasi(stdin=read, stdout=out)))
        for part in (b"one ", b"two", b""):
            await asyncio.sleep(0.002)
            assert not running.done()
            parts.put_nowait(part)
        assert await running == 0
        return out.data

    assert asyncio.run(copying()) == b"one two"


def test_a_command_that_is_cancelled_ends(load: Load) -> None:
    async def cancelled() -> None:
        async def read(limit: int) -> bytes:
            await asyncio.sleep(3600)
            return b""

        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(run_command_async(load(CAT), Wasi(stdin=read, stdout=None)), 0.05)

    asyncio.run(cancelled())
