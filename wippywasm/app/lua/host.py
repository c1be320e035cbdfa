"""The only way out of a Lua sandbox.

In: what a Lua program asks for. Out: what the app answers. Spec: SPEC sections 6 and 11.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from typing import Any, Protocol, TypeAlias

from wippywasm.app.context import Handover
from wippywasm.app.lua.handles import Handles
from wippywasm.dataclass import dataclass
from wippywasm.model import FuncType


@dataclass(frozen=True)
class LuaCaller:
    """Who asks: one call of the program `id`, and the objects that the host keeps for it."""

    id: str
    handles: Handles = field(default_factory=Handles)


Operation: TypeAlias = Callable[..., Any]
"""What a Lua module asks of the app: plain or async, of the `LuaCaller` and plain values to a plain value."""


@dataclass(frozen=True)
class CallSetup:
    """What `funcs.new()` sets up for a call: what its callee does not inherit, and seconds that it may take."""

    handover: Handover
    timeout: float | None = None

    def close(self) -> None:
        """Nothing is left of it."""


class LuaHost(Protocol):
    """What a Lua program may ask of the app; each method stands for one entry's rights and context."""

    async def call(self, id: str, args: list[Any], setup: CallSetup | None = None) -> Any:
        """Call a function by its id, as `setup` says.

        Raises `WitError` for a guest's own error and other `WippyError`s for failures.

        For a function with a signature `args` already fit its parameters (as `wippywasm.values` has them), else they
        are plain values: None, bool, int, float, str, bytes (text that is not UTF-8), list, dict, `WippyError`.
        """
        ...

    def signature(self, id: str) -> FuncType | None:
        """The types of a wasm function; None for a Lua function and for an id that names nothing."""
        ...

    def operation(self, name: str) -> Operation:
        """What `module.operation` stands for; raises `NotFoundError` where this host has no such thing."""
        ...

    def write(self, text: str) -> None:
        """Print to standard output and flush; `text` ends with its newline."""
        ...
