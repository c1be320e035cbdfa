"""`ratelimit`: no more requests of one client than are allowed, by a bucket of tokens for each.

In: requests. Out: requests that go on, or 429. The buckets kept are bounded; the one unused for longest goes first.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from wippywasm.app.http.exchange import Exchange, Handler
from wippywasm.app.http.problems import Problem
from wippywasm.errors import ErrorKind


class Buckets:
    """`rate` tokens a second come into a bucket that holds `burst`; one unused for `ttl` seconds is forgotten."""

    def __init__(self, rate: float, burst: int, ttl: float, most: int) -> None:
        self._rate = rate
        self._burst = burst
        self._ttl = ttl
        self._most = most
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, now: float) -> float:
        """Take a token: 0 where there was one, else the seconds until there is."""
        tokens, then = self._buckets.pop(key, (float(self._burst), now))
        tokens = min(float(self._burst), tokens + (now - then) * self._rate)
        wait = 0.0 if tokens >= 1 else (1 - tokens) / self._rate
        self._buckets[key] = (tokens if wait else tokens - 1, now)
        self._forget(now)
        return wait

    def __len__(self) -> int:
        return len(self._buckets)

    def _forget(self, now: float) -> None:
        while len(self._buckets) > self._most or next(iter(self._buckets.values()))[1] < now - self._ttl:
            self._buckets.popitem(last=False)


class RateLimit:
    """One set of buckets for each router."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options
        rate = options["requests"] / options["window"]
        self._buckets = Buckets(rate, options["burst"], options["entry_ttl"], options["max_entries"])

    async def __call__(self, exchange: Exchange, following: Handler) -> None:
        wait = self._buckets.take(self._key(exchange), asyncio.get_running_loop().time())
        if not wait:
            return await following(exchange)
        fields = {
            "Retry-After": str(int(wait) + 1),
            "X-RateLimit-Limit": str(self._options["requests"]),
            "X-RateLimit-Window": f"{self._options['window']:g}s",
        }
        await exchange.reply.fail(Problem(429, ErrorKind.RATE_LIMITED, fields=fields))
        return None

    def _key(self, exchange: Exchange) -> str:
        kind, _, name = self._options["key"].partition(":")
        if kind == "header":
            return exchange.header(name) or ""
        if kind == "query":
            return exchange.request.query.get(name, "")
        return exchange.remote
