"""An app, kept running: `wippywasm run` without a command.

In: an app. Out: what is said on standard error while it runs; the signal that ended it. Spec: SPEC section 13.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from functools import partial
from typing import TypeAlias

from wippywasm.app.application import App
from wippywasm.app.entry import Entry
from wippywasm.app.registry import Version
from wippywasm.app.watch import Outcome, watch
from wippywasm.cli.failures import INTERRUPTED, Finished
from wippywasm.cli.output import say, say_error, say_problems
from wippywasm.cli.settings import Settings
from wippywasm.cli.signals import signals_to
from wippywasm.errors import DefinitionError, counted

LOG = logging.getLogger("wippywasm.run")
Tell: TypeAlias = Callable[[str], None]
"""Says a line: on standard error, or in the log where that is JSON."""


def serve(app: App, settings: Settings, *, is_watched: bool = False) -> None:
    """Start an app and keep it running until SIGINT (exit code 130) or SIGTERM (0); a second one ends it with 130.

    A watched app takes up changes of its files; where they have problems, it goes on as it was.
    """
    tell = LOG.info if settings.log == "json" else say
    if asyncio.run(_run_until_signal(app, tell, is_watched)) == signal.SIGINT:
        raise Finished(INTERRUPTED)


async def _run_until_signal(app: App, tell: Tell, is_watched: bool) -> int:
    stopped: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    start = time.monotonic()
    async with AsyncExitStack() as stack:
        stack.enter_context(signals_to(partial(_stop, stopped)))
        await stack.enter_async_context(app)
        app.processes.processes.on_lost = partial(_lose, stopped)
        for line in _report(app, time.monotonic() - start):
            tell(line)
        if is_watched:
            watching = asyncio.ensure_future(watch(app, partial(_tell, tell)))
            stack.callback(watching.cancel)
        return await stopped


def _report(app: App, seconds: float) -> Iterator[str]:
    """What is running now."""
    functions = counted(len(app.functions), "function")
    yield f"started {functions} from {app.folder} in {seconds * 1000:.0f} ms; Ctrl-C stops them"
    for id, url in app.addresses.items():
        yield f"{id} listens on {url}{_reach(app.entries[id])}"
    if app.observers.metrics_url is not None:
        yield f"metrics are at {app.observers.metrics_url}"
    if app.processes.services:
        yield f"services: {', '.join(app.processes.services)}"


def _reach(service: Entry) -> str:
    """Who else may connect, where that is not just this machine."""
    return " (and on every other interface)" if service.data["addr"].startswith(":") else ""


def _tell(tell: Tell, outcome: Outcome) -> None:
    """What came of a change of the app's files."""
    if isinstance(outcome, Version):
        tell(f"changed: {outcome} is running")
        return
    if tell is not say:
        LOG.error("not changed: the app goes on as it was", exc_info=outcome)
        return
    if isinstance(outcome, DefinitionError):
        say_problems(outcome.problems, "error")
    else:
        say_error(outcome, is_json=False)
    say("not changed: the app goes on as it was")


def _stop(stopped: asyncio.Future[int], number: int) -> None:
    """The first signal stops the app in order; one more ends everything at once: all that runs are our own threads."""
    if stopped.done():
        os._exit(INTERRUPTED)
    stopped.set_result(number)


def _lose(stopped: asyncio.Future[int], error: BaseException) -> None:
    """A process failed with what none may catch, such as standard output that is gone."""
    if not stopped.done():
        stopped.set_exception(error)
