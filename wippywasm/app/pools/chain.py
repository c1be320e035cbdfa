"""Who called whom: the pools and the processes that wait in the running chain of calls.

In: a pool that is about to be called, a process that is about to be waited for. Out: the chain with it, for the time of
the call; or an error where the call could never end: a chain that is too deep, or one that would wait for a worker
which it holds itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Protocol, TypeAlias

from wippywasm.dataclass import dataclass
from wippywasm.errors import UnavailableError

if TYPE_CHECKING:
    from wippywasm.app.pools.pool import Pool

MAX_DEPTH = 64


class Link(Protocol):
    """Who waits: a pool, or the program of a process."""

    @property
    def name(self) -> str: ...


Chain: TypeAlias = tuple[Link, ...]
_chain: ContextVar[Chain] = ContextVar("wippywasm_call_chain", default=())


@contextmanager
def entered(pool: Pool) -> Iterator[None]:
    """The chain with `pool` at its end."""
    with resumed(_longer(pool)):
        yield


@dataclass(frozen=True)
class _Execution:
    """A process whose end somebody waits for."""

    name: str


def held_for(id: str) -> Chain:
    """The running chain, with a process of `id` that it waits for; raises UnavailableError where it is too deep."""
    return _longer(_Execution(id))


def _longer(link: Link) -> Chain:
    chain = _chain.get()
    if len(chain) >= MAX_DEPTH:
        error = UnavailableError(
            f"calls are nested {MAX_DEPTH} deep: {chain[-1].name} calls {link.name}",
            hint="does a function or a process call itself?",
        )
        error.retryable = False
        raise error
    return (*chain, link)


@contextmanager
def resumed(chain: Chain) -> Iterator[None]:
    """Go on with a chain that was held elsewhere."""
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
