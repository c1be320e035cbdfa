"""What is noted of the requests of an app: how many came to what, and a span for each where spans are on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import field

from aiohttp import web

from wippywasm.app.observe.spans import Spans
from wippywasm.dataclass import dataclass


@dataclass
class HttpWatch:
    """`requests` counts by service and status."""

    spans: Spans | None = None
    requests: Counter[tuple[str, str]] = field(default_factory=Counter)

    async def over(
        self, service: str, request: web.BaseRequest, serve: Callable[[], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Serve a request, and note what became of it."""
        if self.spans is None:
            response = await serve()
        else:
            facts = {"http.request.method": request.method, "url.path": request.path, "wippywasm.entry": service}
            with self.spans.served(f"{request.method} {service}", request.headers, facts) as span:
                response = await serve()
                span.set_attribute("http.response.status_code", response.status)
        self.requests[service, str(response.status)] += 1
        return response
