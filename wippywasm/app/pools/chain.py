"""Who called whom: the pools that the running chain of calls is in.

In: a pool that is about to be called. Out: the chain with it, for the time of the call; or an error where the call
could never end: a chain that is too deep, or one that would wait for a worker which it holds itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from wippywasm.errors import UnavailableError

if TYPE_CHECKING:
    from wippywasm.app.pools.pool import Pool

MAX_DEPTH = 64

_chain: ContextVar[tuple[Pool, ...]] = ContextVar("wippywasm_call_chain", default=())


@contextmanager
def entered(pool: Pool) -> Iterator[None]:
    """The chain with `pool` at its end."""
    chain = _chain.get()
    if len(chain) >= MAX_DEPTH:
        error = UnavailableError(
            f"calls are nested {MAX_DEPTH} deep: {chain[-1].name} calls {pool.name}",
            hint="does a function call itself?",
        )
        error.retryable = False
        raise error
    token = _chain.set((*chain, pool))
    try:
        yield
    finally:
        _chain.reset(token)


def held() -> tuple[Pool, ...]:
    """The pools that the running chain is in, for whoever goes on for it elsewhere."""
    return _chain.get()


@contextmanager
def resumed(chain: tuple[Pool, ...]) -> Iterator[None]:
    """Go on with a chain that was `held` elsewhere."""
    token = _chain.set(chain)
    try:
        yield
    finally:
        _chain.reset(token)


def times_held(pool: Pool) -> int:
    """How many workers of `pool` this chain holds already, the call under way not counted."""
    return _chain.get()[:-1].count(pool)


def is_nested() -> bool:
    """Whether the running code was called through a pool."""
    return bool(_chain.get())
