"""What a worker does for its program while the program waits.

In: requests (a step of the sandbox). Out: replies, as numbers and streams. The codes are those of `prelude/funcs.lua`.
Spec: SPEC section 6.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from wippywasm.app.lua.codec import Codec, codec_for
from wippywasm.app.lua.failures import Failures
from wippywasm.app.lua.futures import Futures
from wippywasm.app.lua.host import LuaHost
from wippywasm.app.lua.limits import LuaLimits
from wippywasm.app.lua.sandbox import Step
from wippywasm.app.lua.untyped import UntypedReader, UntypedWriter
from wippywasm.app.lua.wire import Reader, Writer
from wippywasm.errors import InternalError, WitError
from wippywasm.model import FuncType

_CALL, _ASYNC, _AWAIT, _POLL, _CANCEL, _PRINT = range(5, 11)
_VALUE, _FAILED, _PAYLOAD, _RECODE, _PENDING, _STARTED = range(6)
_UNTYPED = 0

Reply: TypeAlias = tuple[Any, ...]
"""A code, a number (of the codec, or of a future), and what the code calls for: streams, or the text of a codec."""


class Service:
    """Serves one worker: its codecs are numbered as its sandbox knows them, its futures are the running call's."""

    def __init__(self, host: LuaHost, limits: LuaLimits, failures: Failures) -> None:
        self._host = host
        self._limits = limits
        self._failures = failures
        self._codecs: list[Codec | None] = [None]
        self._numbers: dict[FuncType | None, int] = {None: _UNTYPED}
        self._futures = Futures()
        self._number_of: dict[int, int] = {}
        self._serve: dict[int, Callable[[Step], Awaitable[Reply]]] = {
            _CALL: self._call,
            _ASYNC: self._start,
            _AWAIT: self._await,
            _POLL: self._poll,
            _CANCEL: self._cancel,
            _PRINT: self._print,
        }

    async def serve(self, step: Step) -> Reply:
        """Do what a program asks for; what fails becomes a reply, except the caller's own cancellation."""
        try:
            return await self._serve[step.op](step)
        except Exception as error:  # noqa: BLE001  whatever the host raises is the program's to handle
            return self._failed(error)

    async def end_call(self) -> None:
        """End what the call left running."""
        await self._futures.close()
        self._number_of.clear()

    async def _print(self, step: Step) -> Reply:
        self._host.write(step.text.decode("utf-8", "replace"))
        return (_VALUE, _UNTYPED)

    async def _call(self, step: Step) -> Reply:
        id = step.text.decode("utf-8", "replace")
        number, recode = self._codec_number(id, step.number)
        if recode:
            return recode
        return await self._outcome(self._host.call(id, self._args(number, step)), number)

    async def _start(self, step: Step) -> Reply:
        id = step.text.decode("utf-8", "replace")
        number, recode = self._codec_number(id, step.number)
        if recode:
            return recode
        args = self._args(number, step)
        future = self._futures.start(lambda: self._host.call(id, args))
        self._number_of[future] = number
        return (_STARTED, future)

    async def _await(self, step: Step) -> Reply:
        number = self._number_of.get(step.number, _UNTYPED)
        return await self._outcome(self._futures.wait(step.number), number)

    async def _poll(self, step: Step) -> Reply:
        if not self._futures.is_done(step.number):
            return (_PENDING, 0)
        return await self._await(step)

    async def _cancel(self, step: Step) -> Reply:
        self._futures.cancel(step.number)
        return (_VALUE, _UNTYPED)

    def _codec_number(self, id: str, used: int) -> tuple[int, Reply | None]:
        """The codec for a function, and the reply that tells the program of it where it used another."""
        signature = self._host.signature(id)
        number, source = self._numbers.get(signature), b""
        if number is None:
            codec = codec_for(signature) if signature else None
            number = self._numbers[signature] = len(self._codecs)
            self._codecs.append(codec)
        if number == used:
            return number, None
        codec = self._codecs[number]
        return number, (_RECODE, number, codec.lua_source if codec else source)

    def _args(self, number: int, step: Step) -> list[Any]:
        reader = Reader(step.streams)
        codec = self._codecs[number]
        if codec is not None:
            return codec.read_args(reader)
        return UntypedReader(reader, self._failures).take_all()

    async def _outcome(self, call: Awaitable[Any], number: int) -> Reply:
        try:
            value = await call
        except WitError as error:
            return self._written(_PAYLOAD, number, error.payload)
        return self._written(_VALUE, number, value)

    def _written(self, code: int, number: int, value: Any) -> Reply:
        codec, writer = self._codecs[number], Writer()
        if codec is None:
            UntypedWriter(writer, self._limits, self._failures).put(value)
            return (code, number, *writer.streams())
        try:
            (codec.write_value if code == _VALUE else codec.write_err)(writer, value)
            return (code, number, *writer.streams())
        except Exception as error:
            raise InternalError(f"a value that came from the host does not fit its own type: {error!r}") from error

    def _failed(self, error: Exception) -> Reply:
        writer = Writer()
        UntypedWriter(writer, self._limits, self._failures).put_error(error)
        return (_FAILED, _UNTYPED, *writer.streams())
