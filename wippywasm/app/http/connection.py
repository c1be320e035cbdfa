"""Connections of a service: aiohttp's own, with bounds on their number and problems as we write them.

In: connections. Out: requests for the handler of the service. The parsing, and with it the defence against smuggled
requests, is aiohttp's.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from aiohttp import web

from wippywasm.app.http.problems import CONTENT_TYPE, Problem, problem_of
from wippywasm.app.http.reply import SERVER

_quiet = logging.getLogger("wippywasm.http.connections")


class Connection(web.RequestHandler):
    """One client. Where there are too many, it is closed at once."""

    __slots__ = ("_server",)

    def __init__(self, server: Connections, **settings: Any) -> None:
        super().__init__(server, loop=asyncio.get_running_loop(), **settings)
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if len(self._server.connections) > self._server.most:
            self.force_close()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What aiohttp could not make a request of, or could not finish."""
        if request.writer.output_size > 0:
            raise ConnectionError("a reply has begun already")
        if status == 400:
            problem = Problem(400, detail="the request is not HTTP/1.1, or larger than it may be")
        else:
            problem = problem_of(exc) if isinstance(exc, Exception) else Problem(status)
        fields = {"Content-Type": CONTENT_TYPE, "Server": SERVER}
        response = web.Response(status=problem.status, body=problem.body, headers=fields)
        response.force_close()
        return response


class Connections(web.Server):
    """Makes connections, at most `most` at a time."""

    def __init__(self, handler: Any, most: int, **settings: Any) -> None:
        super().__init__(handler, handler_cancellation=True)
        self.change(most, **settings)

    def change(self, most: int, **settings: Any) -> None:
        """Make connections of another kind from now on."""
        self.most = most
        self._settings = {"access_log": None, "logger": _quiet, "auto_decompress": False, **settings}

    def __call__(self) -> web.RequestHandler:
        return Connection(self, **self._settings)
