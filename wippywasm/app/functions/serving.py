"""The pools of an app's functions, which may be exchanged while calls are under way.

In: what a loaded app has, and which of it is new. Out: calls by id. A change is prepared first, its new pools started,
and then takes place at once: calls under way end where they are, who waited for a worker of an old pool gets a new one.
Spec: SPEC sections 2 and 4.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from wippywasm.app.functions.factories import Factories
from wippywasm.app.loading import LoadedApp
from wippywasm.app.pools import Pool, PoolClosedError, PoolMetrics, make_pool
from wippywasm.dataclass import dataclass
from wippywasm.errors import UnavailableError, WippyError, WitError

if TYPE_CHECKING:
    from wippywasm.app.functions.lua_host import AppLuaHost

_END = 2.0
"""Seconds that `close` waits for workers whose calls have ended, threads above all."""


@dataclass(frozen=True)
class Change:
    """Pools that are ready to serve: `pools` is everything there will be, `fresh` what of it is new."""

    owner: FunctionPools
    pools: Mapping[str, Pool]
    fresh: Mapping[str, Pool]
    factories: Factories

    def commit(self) -> None:
        """Serve calls by the prepared pools from now on; the old ones end with the calls that they have."""
        self.owner.serve_by(self)

    def discard(self) -> None:
        """Free what was made, where the change does not take place."""
        for pool in self.fresh.values():
            pool.close()
        self.factories.close()


class FunctionPools:
    """Serves the functions of one running app; belongs to the event loop that it was started in."""

    def __init__(self, host: AppLuaHost) -> None:
        self._host = host
        self._pools: Mapping[str, Pool] = {}
        self._factories: list[Factories] = []
        self._ending: set[asyncio.Task[None]] = set()

    async def prepare(self, loaded: LoadedApp, changed: Collection[str]) -> Change:
        """Make and start the pools of the functions in `changed`; where one fails, none is left."""
        factories = Factories(loaded, self._host)
        fresh: dict[str, Pool] = {}
        kept = {id: pool for id, pool in self._pools.items() if id not in changed}
        try:
            for id in loaded.functions:
                if id not in kept:
                    settings = loaded.entries[id].data.get("pool") or {}
                    fresh[id] = make_pool(id, settings, factories.of(id), loaded.settings.cores)
                    with naming(id):
                        await fresh[id].start()
        except BaseException:
            Change(self, {}, fresh, factories).discard()
            raise
        pools = {id: fresh.get(id) or kept[id] for id in loaded.functions}
        return Change(self, MappingProxyType(pools), fresh, factories)

    def serve_by(self, change: Change) -> None:
        """What `Change.commit` does."""
        old = [pool for id, pool in self._pools.items() if change.pools.get(id) is not pool]
        self._pools = change.pools
        self._factories.append(change.factories)
        for pool in old:
            pool.close()
        if old:
            ending = asyncio.ensure_future(_ended(old))
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)

    async def call(self, id: str, args: Sequence[Any]) -> Any:
        """Call a function; raises what its worker raises, and UnavailableError where there is no such pool now."""
        while True:
            pool = self._pools.get(id)
            if pool is None:
                raise UnavailableError(f"{id} is not running")
            try:
                return await pool.call(args)
            except PoolClosedError as error:
                if error.pool is not pool or self._pools.get(id) in (pool, None):
                    raise

    def check_room(self, id: str) -> None:
        """Raise UnavailableError where a call would have to wait even for a place in the queue."""
        pool = self._pools.get(id)
        if pool is not None and pool.is_full:
            raise UnavailableError(f"{id} has no room for another call")

    def metrics(self) -> Mapping[str, PoolMetrics]:
        """A snapshot of every pool, by id."""
        return MappingProxyType({id: pool.metrics() for id, pool in self._pools.items()})

    async def close(self) -> None:
        """Free every instance; those at work are freed when their call ends."""
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            pool.close()
        waits = [asyncio.ensure_future(_ended(pools.values())), *self._ending]
        await asyncio.wait(waits, timeout=_END)
        for wait in waits:
            wait.cancel()
        while self._factories:
            self._factories.pop().close()


async def _ended(pools: Iterable[Pool]) -> None:
    await asyncio.gather(*(pool.wait_closed() for pool in pools))


@contextmanager
def naming(id: str) -> Iterator[None]:
    """Note whose failure it is; where calls nest, the innermost says so first. A function's own `err` is no failure."""
    try:
        yield
    except WitError:
        raise
    except WippyError as error:
        error.details.setdefault("entry", id)
        raise
