"""Which pool an entry gets.

In: the checked `pool` field. Out: a pool. Spec: SPEC section 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wippywasm.app.pools.cores import Cores
from wippywasm.app.pools.pool import InlinePool, LazyPool, Pool, StaticPool
from wippywasm.app.pools.worker import WorkerFactory

IDLE_SECONDS = 30.0
STATIC_WORKERS = 8
QUEUED_PER_WORKER = 64
NAMED_MAX = 16
IMPLICIT_LAZY_MAX = 100

_NO_CORES = Cores()


def make_pool(name: str, settings: Mapping[str, Any], factory: WorkerFactory, cores: Cores = _NO_CORES) -> Pool:
    """The pool that `settings` ask for; without a type lazy, or static where they name workers."""
    if settings.get("worker_class"):
        return _threads(name, settings, factory, cores)
    match settings.get("type"):
        case "inline":
            return InlinePool(name, factory)
        case "lazy":
            return LazyPool(name, factory, settings.get("max_size", NAMED_MAX), IDLE_SECONDS)
        case "adaptive":
            from wippywasm.app.pools.adaptive import AdaptivePool

            return AdaptivePool(name, factory, settings.get("max_size", NAMED_MAX), IDLE_SECONDS)
        case None if not (settings.get("workers") or settings.get("size")):
            return LazyPool(name, factory, settings.get("max_size", IMPLICIT_LAZY_MAX), IDLE_SECONDS)
        case _:
            workers = settings.get("workers") or settings.get("size") or STATIC_WORKERS
            return StaticPool(name, factory, workers, _buffer(settings, workers))


def _threads(name: str, settings: Mapping[str, Any], factory: WorkerFactory, cores: Cores) -> Pool:
    from wippywasm.app.pools.threads import ThreadPool

    workers = settings.get("workers") or cores.workers
    return ThreadPool(name, factory, workers, _buffer(settings, workers), cores)


def _buffer(settings: Mapping[str, Any], workers: int) -> int:
    buffer: int = settings.get("buffer", workers * QUEUED_PER_WORKER)
    return buffer
