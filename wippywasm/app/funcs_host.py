"""`wippy:runtime/funcs`: guests call other functions of their app.

In: ids and texts or bytes, from guests. Out: results; what goes wrong is the call's own `err`, as text.

Spec: SPEC sections 6 and 7 (`funcs`).
"""

from __future__ import annotations

from typing import Any, Protocol

from wippywasm.app.words import kind_of
from wippywasm.errors import UnavailableError, WippyError, WitError
from wippywasm.instance.offered import HostInterface


class Caller(Protocol):
    """The part of an app that guests reach."""

    async def call(self, id: str, args: list[Any]) -> Any: ...


class NoApp:
    """Stands for an app that is not running."""

    async def call(self, id: str, args: list[Any]) -> Any:
        raise UnavailableError("the app is not running")


class Funcs(HostInterface):
    """`wippy:runtime/funcs`. A target is a full id, `namespace:name`."""

    wit = "wippy:runtime/funcs"

    def __init__(self, app: Caller) -> None:
        self._app = app

    async def call_string(self, target: str, input: str) -> str:
        result = await self._call(target, input)
        if isinstance(result, str):
            return result
        raise WitError(f"{target} returned {kind_of(result)}, and call-string expects a string")

    async def call_bytes(self, target: str, input: bytes) -> bytes:
        result = await self._call(target, input)
        if isinstance(result, bytes | bytearray | memoryview):
            return bytes(result)
        raise WitError(f"{target} returned {kind_of(result)}, and call-bytes expects a list<u8>")

    async def _call(self, target: str, argument: str | bytes) -> Any:
        try:
            return await self._app.call(target, [argument])
        except WitError as error:
            raise WitError(error.payload if isinstance(error.payload, str) else str(error)) from error
        except WippyError as error:
            raise WitError(f"{error.kind.value}: {error}") from error
