"""What a worker does for its program while the program waits.

In: requests (a step of the sandbox). Out: replies, as numbers and streams: at once, or when what they wait for is done;
events of what goes on beside the program. The codes are those of `prelude/*.lua`. Spec: SPEC sections 6 and 11.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeAlias

from wippywasm.app.lua.codec import Codec, codec_for
from wippywasm.app.lua.failures import Failures
from wippywasm.app.lua.host import CallSetup, LuaCaller, LuaHost, Operation
from wippywasm.app.lua.limits import LuaLimits
from wippywasm.app.lua.sandbox import Step
from wippywasm.app.lua.sources import Answer, Sources
from wippywasm.app.lua.untyped import UntypedReader, UntypedWriter
from wippywasm.app.lua.wire import Reader, Writer
from wippywasm.app.lua.zones import at_instant, at_wall_clock
from wippywasm.errors import CanceledError, InternalError, WitError
from wippywasm.model import FuncType

_CALL, _ASYNC, _CANCEL, _PRINT, _SLEEP, _TIMER, _STOP, _NOW, _ZONE = range(5, 14)
_HOST = 16
_VALUE, _FAILED, _PAYLOAD, _RECODE, _STARTED = range(5)
_UNTYPED = 0
_NANOSECONDS = 1_000_000_000

Reply: TypeAlias = tuple[Any, ...]
"""A code, a number (of the codec, or of a source), and what the code calls for: streams, or the text of a codec."""


class Service:
    """Serves one worker: its codecs are numbered as its sandbox knows them, its sources are the running call's."""

    def __init__(self, id: str, host: LuaHost, limits: LuaLimits, failures: Failures) -> None:
        self._host = host
        self._caller = LuaCaller(id)
        self._limits = limits
        self._failures = failures
        self._codecs: list[Codec | None] = [None]
        self._numbers: dict[FuncType | None, int] = {None: _UNTYPED}
        self.sources = Sources()
        self._serve: dict[int, Callable[[Step], Reply | Coroutine[Any, Any, Reply]]] = {
            _CALL: self._call,
            _ASYNC: self._start,
            _CANCEL: self._cancel,
            _PRINT: self._print,
            _SLEEP: self._sleep,
            _TIMER: self._start_timer,
            _STOP: self._stop_timer,
            _NOW: self._now,
            _ZONE: self._zone,
            _HOST: self._operate,
        }

    async def serve(self, step: Step) -> Reply | None:
        """Do what a program asks for; what fails becomes a reply, except the caller's own cancellation.

        None where the fiber that asks has to wait and others need not: its reply comes as an event.
        """
        try:
            reply = self._serve[step.op](step)
            if isinstance(reply, tuple):
                return reply
            if step.alone:
                return await reply
        except Exception as error:  # noqa: BLE001  whatever the host raises is the program's to handle
            return self._failed(error)
        self._serve_beside(step, reply)
        return None

    def _serve_beside(self, step: Step, reply: Coroutine[Any, Any, Reply]) -> None:
        if step.op == _SLEEP:
            reply.close()
            self.sources.wake_later(step.fiber, step.number / _NANOSECONDS, lambda: (_VALUE, _UNTYPED))
        else:
            self.sources.run(step.fiber, reply, self._answer)

    def events(self) -> Iterator[tuple[int, Reply]]:
        """What the program is to hear of before it runs on: whom it is for, and what it is."""
        for target, answer in self.sources.events.take():
            yield target, answer()

    async def end_call(self) -> None:
        """End what the call left running."""
        await self.sources.close()
        await self._caller.handles.close()

    def _operate(self, step: Step) -> Reply | Coroutine[Any, Any, Reply]:
        operation = self._host.operation(step.text.decode("utf-8", "replace"))
        args = UntypedReader(Reader(step.streams), self._failures).take_all()
        if inspect.iscoroutinefunction(operation):
            return self._operate_later(operation, args)
        return self._written(_VALUE, _UNTYPED, operation(self._caller, *args))

    async def _operate_later(self, operation: Operation, args: list[Any]) -> Reply:
        try:
            return self._written(_VALUE, _UNTYPED, await operation(self._caller, *args))
        except WitError as error:
            return self._written(_PAYLOAD, _UNTYPED, error if error.payload is None else error.payload)

    def _print(self, step: Step) -> Reply:
        self._host.write(step.text.decode("utf-8", "replace"))
        return (_VALUE, _UNTYPED)

    def _call(self, step: Step) -> Reply | Coroutine[Any, Any, Reply]:
        id, ticket = _target(step)
        number, recode = self._codec_number(id, step.number)
        return recode or self._outcome(id, self._args(number, step), number, self._setup(ticket))

    def _start(self, step: Step) -> Reply:
        id, ticket = _target(step)
        number, recode = self._codec_number(id, step.number)
        if recode:
            return recode
        args, setup = self._args(number, step), self._setup(ticket)
        call = self.sources.start(lambda: self._outcome(id, args, number, setup), self._answer)
        return (_STARTED, call)

    def _setup(self, ticket: str) -> CallSetup | None:
        return self._caller.handles.take(int(ticket), CallSetup) if ticket else None

    def _cancel(self, step: Step) -> Reply:
        self.sources.cancel(step.number)
        return (_VALUE, _UNTYPED)

    # time

    async def _sleep(self, step: Step) -> Reply:
        await asyncio.sleep(step.number / _NANOSECONDS)
        return (_VALUE, _UNTYPED)

    def _start_timer(self, step: Step) -> Reply:
        seconds = step.number / _NANOSECONDS
        period = seconds if step.text == b"tick" else None
        return (_STARTED, self.sources.start_timer(seconds, period, self._moment))

    def _stop_timer(self, step: Step) -> Reply:
        return (_VALUE, int(self.sources.stop_timer(step.number)))

    def _now(self, step: Step) -> Reply:
        return self._moment()

    def _moment(self) -> Reply:
        """Wall clock in seconds and nanoseconds, and a clock that never goes back."""
        return (_VALUE, *divmod(time.time_ns(), _NANOSECONDS), time.monotonic_ns())

    def _zone(self, step: Step) -> Reply:
        kind, _, name = step.text.decode("utf-8", "replace").partition(" ")
        offset, short = (at_wall_clock if kind == "wall" else at_instant)(name, step.number)
        return (_VALUE, offset, short.encode())

    # calls

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

    async def _outcome(self, id: str, args: list[Any], number: int, setup: CallSetup | None) -> Reply:
        try:
            value = await self._host.call(id, args, setup)
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

    def _answer(self, task: asyncio.Task[Any]) -> Answer:
        """The reply of a task that is done, made when the program is about to hear of it."""
        return lambda: self._reply_of(task)

    def _reply_of(self, task: asyncio.Task[Any]) -> Reply:
        if task.cancelled():
            return self._failed(CanceledError("the call was cancelled"))
        error = task.exception()
        if error is None:
            reply: Reply = task.result()
            return reply
        if isinstance(error, Exception):
            return self._failed(error)
        raise error

    def _failed(self, error: Exception) -> Reply:
        writer = Writer()
        UntypedWriter(writer, self._limits, self._failures).put_error(error)
        return (_FAILED, _UNTYPED, *writer.streams())


def _target(step: Step) -> tuple[str, str]:
    """The id that a call names, and the number of its setup, where it has one: `prelude/funcs.lua` writes them so."""
    id, _, ticket = step.text.decode("utf-8", "replace").partition("\0")
    return id, ticket
