"""One worker of a Lua function: a sandbox, and the loop that serves what its program asks for.

In: a program, a host, limits. Out: calls that are awaited one after another. Spec: SPEC sections 5, 6, 8 and 11.

A call runs until one of its coroutines asks for something, or all wait. What has to be waited for is awaited on
asyncio, beside what the others do. When the caller is cancelled, pending host calls and timers are cancelled with it,
the program's to-be-closed variables are closed, and the worker may serve again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Any, NoReturn

from wippywasm.app.lua.failures import Failures
from wippywasm.app.lua.host import LuaHost
from wippywasm.app.lua.limits import LuaLimits
from wippywasm.app.lua.program import LuaProgram
from wippywasm.app.lua.sandbox import Sandbox, SandboxFullError, Step
from wippywasm.app.lua.service import Service
from wippywasm.app.lua.steps import Steps, StepsBeside, StepsInThreads
from wippywasm.app.lua.untyped import UntypedReader, UntypedWriter
from wippywasm.app.lua.wire import Reader, Writer
from wippywasm.engine.turns import Held
from wippywasm.errors import ConflictError, LuaError, UnavailableError, WippyError, WitError

_DONE, _ERR, _RAISED, _LIMIT = range(1, 5)
_IDLE, _BREATHE = 14, 15
_LIMITS = {
    b"instructions": "it executed more than {0.instructions} instructions in one call",
    b"time": "it computed for more than {0.busy_seconds} s without waiting for anything",
    b"memory": "it needs more than {0.memory_bytes} bytes of memory",
}


class LuaWorker:
    """A sandbox with a program in it, one call at a time. The program's own state lives on from call to call.

    It computes in a thread of its own, or in `threads` where some are given.
    """

    def __init__(
        self, program: LuaProgram, host: LuaHost, limits: LuaLimits | None = None, threads: Executor | None = None
    ) -> None:
        self._program = program
        self._limits = limits or LuaLimits()
        self._host = host
        self._failures = Failures()
        self._steps: Steps = StepsBeside() if threads is None else StepsInThreads(threads)
        self._sandbox: Sandbox | None = Sandbox(program, self._limits, self._steps.interrupted)
        self._service = Service(program.id, host, self._limits, self._failures)
        self._busy = False
        self._spent = False

    async def call(self, args: Sequence[Any]) -> Any:
        """Call the program's method; gives its first result.

        Raises LuaError where the program fails, the error object it raised or returned as its second result
        (`WitError` where that is another value), ConflictError where a call is under way, UnavailableError where the
        worker is closed or spent, InvalidError for arguments that Lua has no word for.
        """
        sandbox = self._enter()
        try:
            return await self._run(sandbox, args)
        except SandboxFullError:
            return self._stop(b"memory", "")
        finally:
            self._busy = False

    def _enter(self) -> Sandbox:
        if self._sandbox is None or self._spent:
            raise UnavailableError(
                f"{self._program.id}: this worker is {'closed' if self._sandbox is None else 'spent'}"
            )
        if self._busy:
            raise ConflictError(f"{self._program.id}: this worker serves another call", hint="one worker, one call")
        self._busy = True
        return self._sandbox

    async def _run(self, sandbox: Sandbox, args: Sequence[Any]) -> Any:
        writer = Writer()
        untyped = UntypedWriter(writer, self._limits, self._failures)
        for value in args:
            untyped.put(value)
        waits = True
        held = Held(asyncio.get_running_loop())
        try:
            step = self._printed(await self._steps.run(partial(sandbox.begin, len(args), writer.streams())))
            while step.op > _LIMIT:
                await self._serve(sandbox, step)
                if held.check():
                    await asyncio.sleep(0)
                step = self._printed(await self._steps.run(sandbox.go_on))
            waits = False
            return self._outcome(step)
        finally:
            self._spent = self._spent or self._steps.interrupted()
            if waits:
                await self._cancel(sandbox)
            await self._service.end_call()
            self._failures.forget()

    async def _serve(self, sandbox: Sandbox, step: Step) -> None:
        """Wait for whatever lets the program go on, and hand it over."""
        if step.op == _IDLE:
            await self._service.sources.events.wait()
        elif step.op == _BREATHE:
            await asyncio.sleep(0)
        else:
            reply = await self._service.serve(step)
            if reply is not None:
                sandbox.hand_over(step.fiber, *reply)
        for target, event in self._service.events():
            sandbox.hand_over(target, *event)

    async def _cancel(self, sandbox: Sandbox) -> None:
        try:
            self._print(await self._steps.run(sandbox.cancel))
        except SandboxFullError:
            self._spent = True

    def _printed(self, step: Step) -> Step:
        self._print(step.printed)
        return step

    def _print(self, text: bytes) -> None:
        if text:
            self._host.write(text.decode("utf-8", "replace"))

    def _outcome(self, step: Step) -> Any:
        values = UntypedReader(Reader(step.streams), self._failures).take_all()
        if step.op == _DONE:
            return values[0]
        if step.op == _ERR:
            return _raise_result(values[0])
        if step.op == _RAISED:
            return _raise_error(*values)
        return self._stop(step.text, values[0])

    def _stop(self, reason: bytes, traceback: str) -> NoReturn:
        self._spent = True
        why = _LIMITS[reason].format(self._limits)
        raise LuaError(f"{self._program.id} was stopped: {why}", traceback=traceback)

    @property
    def usable(self) -> bool:
        """Whether the worker may serve again: always, unless it reached a limit or was closed."""
        return not self._spent and self._sandbox is not None

    def usable_after(self, error: BaseException) -> bool:
        """`usable`, whatever the error: one that leaves a Lua state in doubt has spent the worker."""
        return self.usable

    def close(self) -> None:
        """Free the Lua state; harmless to repeat."""
        if self._sandbox is not None:
            self._sandbox.close()
            self._sandbox = None


def _raise_result(error: Any) -> NoReturn:
    raise error if isinstance(error, WippyError) else WitError(error)


def _raise_error(message: str | bytes, traceback: str, value: Any) -> NoReturn:
    text = message if isinstance(message, str) else message.decode("utf-8", "replace")
    failure = LuaError(text, traceback=traceback)
    if isinstance(value, WippyError):
        raise value from (value.__cause__ or failure)
    if value is not None:
        failure.details["value"] = value
    raise failure
