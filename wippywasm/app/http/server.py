"""One service: a listening socket, and what becomes of each request.

In: a plan, a socket, the app. Out: replies. Whatever goes wrong becomes a problem here, once; what is not the
client's fault is logged with the entry it happened in. Spec: SPEC section 12.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import Any

from aiohttp import web

from wippywasm.app.context import entered
from wippywasm.app.functions.serving import naming
from wippywasm.app.http.arrival import answer_within
from wippywasm.app.http.body import Body
from wippywasm.app.http.connection import Connections
from wippywasm.app.http.exchange import Exchange, enter_exchange
from wippywasm.app.http.paths import PathError, Target, parse_target
from wippywasm.app.http.plan import ServicePlan
from wippywasm.app.http.problems import RETRY_AFTER, BadRequestError, BodyTooLargeError, Problem, problem_of
from wippywasm.app.http.reply import CutOffError, Reply
from wippywasm.app.http.site import Site
from wippywasm.app.http.tls import HANDSHAKE
from wippywasm.app.http.watch import HttpWatch
from wippywasm.errors import TimedOutError, UnavailableError, WippyError

log = logging.getLogger("wippywasm.http")
_END = 1.0
"""Seconds in which what was cancelled must end."""
_LINGER = 2.0
"""Seconds in which what is left of a body is read, so that a client sees the reply to the rest."""


class HttpServer:
    """Serves one `http.service`."""

    def __init__(self, plan: ServicePlan, site: Site, bound: socket.socket, watch: HttpWatch) -> None:
        """`bound` listens already, and is the server's from now on."""
        self.plan = plan
        self._watch = watch
        self._site = site
        self._bound = bound
        self._busy: dict[asyncio.Task[None], web.BaseRequest] = {}
        self._has_begun = False
        self._stopping = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._connections = Connections(self._serve, plan.bounds.connections, **_settings(plan))
        self._listener: asyncio.Server | None = None

    def change(self, plan: ServicePlan, site: Site) -> None:
        """Serve requests from now on by another site; those under way end as they began."""
        self._site.close()
        self.plan, self._site = plan, site
        self._connections.change(plan.bounds.connections, **_settings(plan))

    async def start(self) -> None:
        """Accept connections."""
        if self._stopping.is_set():
            return
        self._has_begun = True
        tls: dict[str, Any] = {"ssl": self.plan.tls, "ssl_handshake_timeout": HANDSHAKE} if self.plan.tls else {}
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(self._connections, sock=self._bound, **tls)
        if self._stopping.is_set():
            self._listener.close()

    def another_socket(self) -> socket.socket:
        """Its listening socket once more, for who takes its place."""
        return self._bound.dup()

    def stop_accepting(self) -> None:
        """Take no more connections; harmless to repeat."""
        self._stopping.set()
        if self._listener is not None:
            self._listener.close()
        elif not self._has_begun:
            self._bound.close()

    async def stop(self, grace: float) -> None:
        """Accept no more, let requests under way end within `grace` seconds, then end their connections."""
        self.stop_accepting()
        await asyncio.sleep(0)  # those just accepted begin
        at_work = {request.protocol for request in self._busy.values()}
        for connection in self._connections.connections:
            if connection not in at_work:
                connection.force_close()
        try:
            await asyncio.wait_for(self._idle.wait(), max(grace, 0.001))
        except asyncio.TimeoutError:
            pass
        for task in list(self._busy):
            task.cancel()
        if self._busy:
            await asyncio.wait(self._busy, timeout=_END)
        await self._connections.shutdown(_END)
        self._site.close()

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Serve a request; what is written to a client that has gone is let go."""
        reply = Reply(request)
        if len(self._busy) >= self.plan.bounds.requests:
            response = await reply.fail(Problem(503, UnavailableError.kind, fields=RETRY_AFTER))
            response.force_close()
            return response
        task = asyncio.current_task()
        assert task is not None
        self._busy[task] = request
        self._idle.clear()
        try:
            response = await self._watch.over(self.plan.id, request, lambda: self._bounded(request, reply))
            if self._stopping.is_set():
                response.force_close()
            return response
        finally:
            del self._busy[task]
            if not self._busy:
                self._idle.set()

    async def _bounded(self, request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
        times = self.plan.times
        try:
            if times.write:
                await answer_within(times.write, self._handle(request, reply), request, times.read)
            else:
                await self._handle(request, reply)
            return await reply.end()
        except CutOffError:
            reply.abort()
            raise
        except asyncio.TimeoutError:
            return await self._failed(request, reply, TimedOutError(f"no response within {times.write:g} s"))
        except Exception as error:  # noqa: BLE001  whatever a handler raises is answered here
            return await self._failed(request, reply, error)

    async def _handle(self, request: web.BaseRequest, reply: Reply) -> None:
        exchange = Exchange(request, _target(request), self._body(request), reply, _plain(request.remote or ""))
        site = self._site
        found = site.find(exchange)
        enter_exchange(exchange)
        try:
            with naming(found.id), entered(site.context.with_(entry=found.id)):
                await found.handler(exchange)
        finally:
            exchange.is_over = True

    def _body(self, request: web.BaseRequest) -> Body:
        limit, read = self.plan.bounds.body, self.plan.times.read
        if (request.content_length or 0) > limit:
            raise BodyTooLargeError(limit)
        return Body(request, limit, asyncio.get_running_loop().time() + read if read else None)

    async def _failed(self, request: web.BaseRequest, reply: Reply, error: Exception) -> web.StreamResponse:
        problem = problem_of(error)
        if problem.status in (500, 504):
            entry = error.details.get("entry", self.plan.id) if isinstance(error, WippyError) else self.plan.id
            log.error("%s: %s %s: %s", entry, request.method, request.path, error, exc_info=_unexpected(error))
        if reply.ended:
            reply.abort()
            raise CutOffError("the reply failed at its end")
        response = await reply.fail(problem)
        if problem.status in (408, 413):
            response.force_close()
        return response


def _settings(plan: ServicePlan) -> dict[str, Any]:
    """What aiohttp is to know of a plan."""
    return {
        "keepalive_timeout": plan.times.idle,
        "max_line_size": plan.bounds.head,
        "max_field_size": plan.bounds.head,
        "lingering_time": _LINGER,
    }


def _plain(remote: str) -> str:
    """An address without what a socket for both families puts before one of IPv4."""
    return remote.removeprefix("::ffff:") if "." in remote else remote


def _target(request: web.BaseRequest) -> Target:
    try:
        return parse_target(request.raw_path)
    except PathError as error:
        raise BadRequestError(str(error)) from None


def _unexpected(error: Exception) -> Exception | None:
    """What deserves a traceback: our own mistakes."""
    return None if isinstance(error, WippyError) else error
