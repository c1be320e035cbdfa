"""What watches a running app, from its start to its end.

In: settings. Out: `spans`, where they are on; an endpoint of metrics, where it is on.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from wippywasm.app.observe.metrics import Metrics, Observed
from wippywasm.app.observe.settings import ObserveSettings
from wippywasm.app.observe.spans import Spans

if TYPE_CHECKING:
    from wippywasm.app.observe.endpoint import Endpoint


class Observers:
    """Of one run of an app."""

    def __init__(self, settings: ObserveSettings) -> None:
        self._settings = settings
        self.spans = Spans(settings.otel) if settings.otel is not None else None
        self._endpoint: Endpoint | None = None

    @property
    def metrics_url(self) -> str | None:
        """Where the metrics are, or None."""
        return self._endpoint.url if self._endpoint is not None else None

    async def start(self, app: Observed) -> None:
        """Raises UnavailableError where a library is missing or the address can't be had."""
        if self._settings.metrics is not None:
            from wippywasm.app.observe.endpoint import Endpoint  # loads aiohttp

            self._endpoint = Endpoint(self._settings.metrics, Metrics(app))
            await self._endpoint.start()

    async def close(self) -> None:
        if self._endpoint is not None:
            await self._endpoint.close()
        if self.spans is not None:
            await asyncio.to_thread(self.spans.close)
