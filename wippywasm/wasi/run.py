"""Running programs: core modules with `_start`, and components that export `wasi:cli/run`.

In: a loaded command and its world. Out: its exit code.

Spec: SPEC section 13 (`run`); `wasi:cli/run`.
"""

from __future__ import annotations

from collections.abc import Iterable

from wippywasm.engine.turns import turn_to_make
from wippywasm.errors import GuestExit, NotFoundError, WitError
from wippywasm.instance.component import Component
from wippywasm.instance.limits import Limits
from wippywasm.instance.waiting import run_now
from wippywasm.wasi.wasi import Wasi

START = "_start"
RUN = "wasi:cli/run@0.2."


def command_function(component: Component) -> str:
    """The function that runs a command; raises NotFoundError where a module or component is none."""
    for key in component.functions:
        if key == START or (key.startswith(RUN) and key.endswith("#run")):
            return key
    hint = "a command exports `_start` if it is a core module, and wasi:cli/run@0.2 if it is a component"
    raise NotFoundError("this is not a command", hint=hint)


def run_command(
    component: Component, wasi: Wasi, granted: Iterable[str] | None = None, *, limits: Limits | None = None
) -> int:
    """Run it to its end; 0 for success, 1 for a plain failure, or the code that it exited with.

    `granted` are entries as in `Wasi.imports`; imports beyond them are denied when they are called. Raises
    NotFoundError for what is no command, Trap and whatever else ends a guest.
    """
    function = command_function(component)
    linked = component.link(wasi.imports(granted), undeclared="deny")
    try:
        with linked.instantiate(limits=limits) as guest:
            guest.call(function)
    except (GuestExit, WitError) as error:
        return _code(error)
    finally:
        if not wasi.written:
            run_now(wasi.drain())
    return 0


async def run_command_async(
    component: Component, wasi: Wasi, granted: Iterable[str] | None = None, *, limits: Limits | None = None
) -> int:
    """The same for tasks: where the command waits, the event loop goes on. Cancelling the task ends it.

    Of many that are started at once, the loop makes a few instances at a time, and does what else it has to do between.
    """
    await turn_to_make()
    function = command_function(component)
    linked = component.link(wasi.imports(granted), undeclared="deny")
    try:
        with await linked.instantiate_async(limits=limits) as guest:
            await guest.call_async(function)
    except (GuestExit, WitError) as error:
        return _code(error)
    finally:
        await wasi.drain()
    return 0


def _code(error: GuestExit | WitError) -> int:
    return error.code if isinstance(error, GuestExit) else 1
