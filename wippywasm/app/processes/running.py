"""A process's program, from its first step to its last.

In: a worker that is yet to be made, arguments. Out: the outcome; the worker is closed, whatever happens.
Spec: SPEC section 9 (Init, Step, Close).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from wippywasm.app.pools.worker import Worker
from wippywasm.app.processes.events import Outcome
from wippywasm.app.processes.mailbox import size_of
from wippywasm.errors import GuestExit, InternalError, WippyError


async def run_program(make: Callable[[], Awaitable[Worker]], args: Sequence[Any], ready: Callable[[], None]) -> Outcome:
    """Make the worker, say that it is `ready`, run its program, close it.

    Cancellation goes through, as does what is no `Exception`.
    """
    try:
        worker = await make()
        ready()
        try:
            value = await worker.call(args)
            size_of(value)
            return Outcome(value)
        finally:
            worker.close()
    except GuestExit as error:
        return Outcome(error=error if error.code else None)
    except WippyError as error:
        return Outcome(error=error)
    except Exception as error:  # noqa: BLE001  whatever a program fails with is its outcome
        failure = InternalError(f"{type(error).__name__}: {error}")
        failure.__cause__ = error
        return Outcome(error=failure)
