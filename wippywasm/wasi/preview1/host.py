"""All of preview 1 for one guest.

In: a `Wasi`. Out: core callables by name, which give error numbers.

Spec: WASI preview 1; SPEC section 7 (`wasi1`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from wippywasm.core import CoreFuncType
from wippywasm.engine.port import CoreCallable
from wippywasm.errors import WitError
from wippywasm.instance.linked import CoreContext
from wippywasm.instance.waiting import Waiting
from wippywasm.wasi.preview1.codes import ErrnoError, number_of
from wippywasm.wasi.preview1.descriptors import Descriptors, Directory, Input, Output
from wippywasm.wasi.preview1.files import Files
from wippywasm.wasi.preview1.memory import GuestMemory
from wippywasm.wasi.preview1.paths import Paths
from wippywasm.wasi.preview1.polling import Polling
from wippywasm.wasi.preview1.process import Process, Sockets, Strings
from wippywasm.wasi.preview1.signatures import SIGNATURES

if TYPE_CHECKING:
    from wippywasm.wasi.wasi import Wasi


class Preview1:
    """A host of core functions: each guest gets descriptors of its own, on the same streams and mounts."""

    core_types: Mapping[str, CoreFuncType] = SIGNATURES

    def __init__(self, wasi: Wasi) -> None:
        self._wasi = wasi

    def link_core(self, context: CoreContext) -> Mapping[str, CoreCallable]:
        """The functions for one guest."""
        wasi, memory = self._wasi, GuestMemory(context.memory)
        descriptors = self._descriptors()
        context.at_end(descriptors.close_all)
        groups = (
            Strings(memory, wasi.args, wasi.environment),
            Process(memory, wasi.clock, wasi.random),
            Files(memory, descriptors),
            Paths(memory, descriptors),
            Polling(memory, descriptors, wasi.clock),
            Sockets(descriptors),
        )
        return {name: _answering(_function(groups, name)) for name in SIGNATURES}

    def _descriptors(self) -> Descriptors:
        found = Descriptors()
        for stream in (Input(self._wasi.stdin), Output(self._wasi.stdout), Output(self._wasi.stderr)):
            found.add(stream)
        for directory, path in self._wasi.mounts.preopens():
            found.add(Directory(directory, path))
        return found


def _function(groups: tuple[object, ...], name: str) -> Callable[..., Any]:
    return next(getattr(group, name) for group in groups if hasattr(group, name))  # type: ignore[no-any-return]


def _answering(function: Callable[..., Any]) -> CoreCallable:
    """The function as a core callable: what it raises is an error number, and nothing is success."""

    def answer(*args: int) -> Any:
        outcome = _number(function, *args)
        if outcome.__class__ is Waiting:
            return Waiting(_caught(outcome.awaitable), lambda value: _finished(outcome.finish, value))
        return outcome

    answer.__wrapped__ = function  # type: ignore[attr-defined]
    return answer


def _number(function: Callable[..., Any], *args: Any) -> Any:
    try:
        outcome = function(*args)
    except WitError as error:
        return number_of(error)
    except ErrnoError as error:
        return error.number
    return 0 if outcome is None else outcome


async def _caught(awaitable: Awaitable[Any]) -> Any:
    try:
        return await awaitable
    except WitError as error:
        return error


def _finished(finish: Callable[[Any], Any], value: Any) -> Any:
    return number_of(value) if isinstance(value, WitError) else _number(finish, value)
