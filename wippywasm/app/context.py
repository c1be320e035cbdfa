"""The context that a call runs in: who acts, what they may do, what goes along with the request.

In: a context that a caller sets up. Out: the same for everything that it calls, through Lua, wasm and threads alike,
since it is held in a context variable. Spec: SPEC section 10.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from wippywasm.dataclass import dataclass

if TYPE_CHECKING:
    from wippywasm.app.security.scope import Scope

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Actor:
    """Who acts: an id, and what is known of them."""

    id: str
    meta: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)


@dataclass(frozen=True)
class Context:
    """What a call inherits from its caller.

    `actor` does what is done, `scope` says what they may; `values` are what the request carries along. `entry` is the
    id whose code runs, `pid` the process that it runs in; they are None where the app's own user calls.
    """

    actor: Actor | None = None
    scope: Scope | None = None
    values: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    entry: str | None = None
    pid: str | None = None

    def with_(self, **changes: Any) -> Context:
        """The same context with other fields."""
        return replace(self, **changes)


@dataclass(frozen=True)
class Handover:
    """What a caller hands on in place of its own: each part is None, or empty, where the callee inherits.

    `values` are added to those of the caller.
    """

    actor: Actor | None = None
    scope: Scope | None = None
    values: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)

    def applied(self, context: Context) -> Context:
        """The context that the callee inherits."""
        values = {**context.values, **self.values} if self.values else context.values
        return replace(context, actor=self.actor or context.actor, scope=self.scope or context.scope, values=values)


_NOBODY = Context()
_current: ContextVar[Context] = ContextVar("wippywasm_context", default=_NOBODY)


def current() -> Context:
    """The context of the running call; an empty one outside of calls."""
    return _current.get()


@contextmanager
def entered(context: Context) -> Iterator[None]:
    """Run what is inside in `context`."""
    token = _current.set(context)
    try:
        yield
    finally:
        _current.reset(token)
