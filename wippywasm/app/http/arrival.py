"""The time for a response, counted from when the request is there with its body.

In: a handler at work, a request, seconds. Out: nothing, or `asyncio.TimeoutError` once the handler is cancelled.
Spec: SPEC section 12.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from aiohttp import web


async def answer_within(
    seconds: float, handling: Coroutine[Any, Any, None], request: web.BaseRequest, read: float
) -> None:
    """Await `handling`; `read` are the seconds that the body may take to arrive, 0 for no bound.

    What no handler reads may never arrive: the time begins after `read` at the latest.
    """
    at_work = asyncio.ensure_future(handling)
    arrived: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    request.content.on_eof(lambda: arrived.set_result(None))
    try:
        await asyncio.wait((at_work, arrived), timeout=read or None, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait_for(at_work, seconds)
    except asyncio.CancelledError:
        at_work.cancel()
        await asyncio.wait((at_work,))
        raise
