"""Pools: how many instances of a function there are, and which of them serves the next call.

In: a factory of workers and the entry's `pool` settings. Out: `Pool.call(args)`. Spec: SPEC section 4.
"""

from __future__ import annotations

from wippywasm.app.pools.choose import make_pool
from wippywasm.app.pools.metrics import PoolMetrics
from wippywasm.app.pools.pool import Pool, PoolClosedError
from wippywasm.app.pools.worker import Worker, WorkerFactory

__all__ = ["Pool", "PoolClosedError", "PoolMetrics", "Worker", "WorkerFactory", "make_pool"]
