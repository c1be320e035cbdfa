"""HTTP as a part of an app, which loads aiohttp no sooner than there is a service.

In: loaded entries. Out: prepared changes; the URLs of what listens. Spec: SPEC sections 2 and 12.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from wippywasm.app.http.callee import Callee
from wippywasm.app.loading import LoadedApp
from wippywasm.app.parts import Prepared
from wippywasm.app.security import Security

if TYPE_CHECKING:
    from wippywasm.app.http.services import HttpServices
    from wippywasm.app.observe.spans import Spans

_NOWHERE: Mapping[str, str] = MappingProxyType({})


class NoChange:
    """Where there is nothing to do."""

    def commit(self) -> None: ...
    def discard(self) -> None: ...


class HttpPart:
    """Belongs to one run of an app, and to its event loop."""

    def __init__(self, app: Callee, security: Security, spans: Spans | None = None) -> None:
        self._app = app
        self._spans = spans
        self._security = security
        self._services: HttpServices | None = None

    @property
    def addresses(self) -> Mapping[str, str]:
        """The URL of each service that listens, by id."""
        return _NOWHERE if self._services is None else self._services.addresses

    @property
    def requests(self) -> Mapping[tuple[str, str], int]:
        """How many requests there were, by service and status."""
        return {} if self._services is None else self._services.watch.requests

    async def prepare(self, loaded: LoadedApp, changed: Collection[str]) -> Prepared:
        """Get ready to serve what the entries say; raises UnavailableError where a service can't listen."""
        if self._services is None:
            if not any(entry.kind == "http.service" for entry in loaded.entries.values()):
                return NoChange()
            from wippywasm.app.http.services import HttpServices

            self._services = HttpServices(self._app, self._security, self._spans)
        return self._services.prepare(loaded)

    async def close(self, grace: float) -> None:
        """Accept no more requests, and let those under way end within `grace` seconds."""
        if self._services is not None:
            await self._services.close(grace)
