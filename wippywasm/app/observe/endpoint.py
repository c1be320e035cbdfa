"""The endpoint that Prometheus reads: `GET /metrics`.

In: an address, metrics. Out: a listening server, until it is closed.
"""

from __future__ import annotations

from aiohttp import web

from wippywasm.app.http.address import Address, listen, parse_address, url_of
from wippywasm.app.observe.metrics import CONTENT_TYPE, Metrics


class Endpoint:
    """Serves the metrics of one app, on its event loop."""

    def __init__(self, address: str, metrics: Metrics) -> None:
        self._address = parse_address(address) or Address("localhost", 9090)
        self._metrics = metrics
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def start(self) -> None:
        """Listen; raises UnavailableError where the address can't be had."""
        bound = listen(self._address, "prometheus")
        server = web.Application()
        server.router.add_get("/metrics", self._answer)
        self._runner = web.AppRunner(server, access_log=None)
        await self._runner.setup()
        await web.SockSite(self._runner, bound).start()
        self.url = f"{url_of(bound)}/metrics"

    async def _answer(self, _: web.Request) -> web.Response:
        return web.Response(body=self._metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
