"""Destructors that nobody waits for, in a guest that tasks call: what they call, and who closes the guest meanwhile."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from tests.instance.test_instance_collector import GUEST, WAIT, Host
from wippywasm.errors import Trap


async def forget(things: list[Any], over: threading.Event) -> threading.Thread:
    """The thread that forgets them, once it, or what it leads to, has come that far."""
    thread = threading.Thread(target=things.clear)
    thread.start()
    for _ in range(WAIT * 100):
        if over.is_set():
            break
        await asyncio.sleep(0.01)
    assert over.is_set()
    return thread


async def test_one_that_waits_for_its_own_guest_is_refused(load: Any) -> None:
    refused: list[BaseException] = []
    over = threading.Event()

    async def told(n: int) -> None:
        try:
            await guest.call_async("same", n)
        except Trap as error:
            refused.append(error)
        finally:
            over.set()

    guest = load(GUEST).instantiate({"told": told})
    thread = await forget([await guest.call_async("make", 1)], over)
    thread.join(WAIT)
    assert len(refused) == 1
    assert "what it has called calls it" in str(refused[0])
    assert await guest.call_async("same", 2) == 2
    guest.close()


async def test_who_closes_the_guest_waits_for_one(load: Any) -> None:
    """Or both would destroy what it drops."""
    host, closed = Host(), list[list[int]]()
    guest = load(GUEST).instantiate({"told": host.told_})
    thread = await forget([await guest.call_async("make", 1)], host.reached)

    def close() -> None:
        host.go_on.set()
        guest.close()
        closed.append(host.told[:])

    closing = threading.Thread(target=close)
    closing.start()
    closing.join(WAIT)
    thread.join(WAIT)
    assert closed == [[1]]
