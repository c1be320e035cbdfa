"""Source text → functions: the little that generated call paths share.

In: source of a factory, and the values it closes over. Out: the function it makes, visible in tracebacks. What a
generated function closes over can be taken away again (`revoke`), so that a closed store costs its callers no check.
"""

from __future__ import annotations

import dis
import itertools
import linecache
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from types import CodeType, FrameType, FunctionType
from typing import Any

_numbers = itertools.cycle(range(2048))  # reused, since what a hostile guest makes us generate must not pile up


def filename_of(name: str) -> str:
    """What the files begin with that tracebacks show for generated code of that name."""
    return f"<wippywasm {name} "


def callers(frame: FrameType | None) -> Iterator[FrameType]:
    """A frame and those that called it, the innermost first."""
    while frame is not None:
        yield frame
        frame = frame.f_back


def build_factory(lines: Sequence[str], name: str, scope: Mapping[str, Any]) -> Callable[..., Any]:
    """The function `make` that `lines` define, with `scope` as its globals. Tracebacks show its lines."""
    source = "\n".join(lines) + "\n"
    filename = f"{filename_of(name)}{next(_numbers)}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    scope = dict(scope)
    exec(compile(source, filename, "exec"), scope)
    make: Callable[..., Any] = scope["make"]
    return make


def revoke(function: Callable[..., Any], name: str, replacement: Any) -> None:
    """Make `function`, which closes over `name`, see `replacement` instead from now on."""
    assert isinstance(function, FunctionType)
    cells = function.__closure__ or ()
    cells[function.__code__.co_freevars.index(name)].cell_contents = replacement


def without_signal_check(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, which runs no signal handler between its call and its first statement.

    From 3.11 on CPython runs pending signal handlers at a function's entry, before a `try` on its first line holds.
    What a handler raises there leaves a function that C called without a result, and C goes on with garbage. That is
    no rare race: a Ctrl-C during a long run of the guest is handled exactly when the guest next calls the host.
    """
    assert isinstance(function, FunctionType)
    function.__code__ = _mark_resumed(function.__code__)
    return function


@lru_cache(maxsize=1024)
@lru_cache(maxsize=2048)
def _mark_resumed(code: CodeType) -> CodeType:
    resume = dis.opmap.get("RESUME")
    if resume is None:
        return code
    ops = bytearray(code.co_code)
    for index in range(0, len(ops), 2):
        if ops[index] == resume:
            ops[index + 1] |= 2  # "after yield from": the entry at which CPython makes no such check
            break
    return code.replace(co_code=bytes(ops))
