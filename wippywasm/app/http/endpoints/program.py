"""Endpoints in Lua: the function has request and response from the module `http`, or just returns a value.

In: an exchange. Out: the reply that the program wrote; of one that did not ask for the response, its result.
"""

from __future__ import annotations

from wippywasm.app.http.callee import Callee
from wippywasm.app.http.exchange import Exchange
from wippywasm.app.http.respond import reply_error, reply_result
from wippywasm.errors import WitError


class ProgramEndpoint:
    """Calls a Lua function without arguments."""

    def __init__(self, app: Callee, func: str) -> None:
        self._app = app
        self._func = func

    async def __call__(self, exchange: Exchange) -> None:
        self._app.check_room(self._func)
        try:
            result = await self._app.call(self._func)
        except WitError as error:
            return await reply_error(exchange.reply, None, error)
        if exchange.answered:
            await exchange.reply.end()
        else:
            await reply_result(exchange.reply, None, result)
        return None
