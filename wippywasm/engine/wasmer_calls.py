"""Function type → generated code around wasmer's own calls, which already take and give plain numbers.

In: a `CoreFuncType`. Out: for calls into the guest, a factory of closures that check the thread and translate what is
raised; for calls to the host, a factory of callables that note what the host raised.
wasmer gives and takes `i32` signed; it wants floats to be floats; references it can't pass at all.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from wippywasm.calling import under_way
from wippywasm.core import CoreFuncType, CoreValType
from wippywasm.engine.codegen import build_factory
from wippywasm.engine.ending import GUEST_CALL, begun, check
from wippywasm.engine.recursion import HOST_ENTRY
from wippywasm.engine.spans import bounded

PASSABLE = frozenset({"i32", "i64", "f32", "f64", "v128"})


def is_passable(type: CoreFuncType) -> bool:
    """Whether wasmer can pass every parameter and result between guest and host."""
    return PASSABLE.issuperset(type.params) and PASSABLE.issuperset(type.results)


def _as_native(type: CoreValType, value: str) -> str:
    """A float of any number. Zero is subtracted, since adding it takes the sign of -0.0."""
    return f"{value} - 0.0" if type in ("f32", "f64") else value


_SCOPE = {"under_way": under_way, "bounded": bounded, "begun": begun, "check": check}


@lru_cache(maxsize=1024)
def guest_call_factory(type: CoreFuncType) -> Callable[..., Callable[..., Any]]:
    """`make(native, here, store, fail) -> call`; `fail(error)` gives the exception to raise."""
    names = [f"a{k}" for k in range(len(type.params))]
    arguments = ", ".join(map(_as_native, type.params, names))
    lines = [
        "def make(native, here, store, fail):",
        "    spans = store.spans",
        f"    def call({', '.join(names)}):",
        "        if here.number != store.owner:",
        "            raise store.refusal()",
        "        try:",
        "            if under_way:",
        "                if begun:",
        "                    check()",
        "                if not spans.calls:",
        f"                    return bounded(store, native, {arguments})",
        f"            return native({arguments})",
        "        except BaseException as error:",
        "            raised = fail(error)",
        "        raise raised",  # out here, so that megabytes of an overflow's message are not kept as its context
        "    return call",
    ]
    return build_factory(lines, GUEST_CALL, _SCOPE)


@lru_cache(maxsize=1024)
def host_entry_factory(type: CoreFuncType) -> Callable[..., Callable[..., Any]]:
    """`make(target, state, clock) -> entry`. `target()` gives the function; what it raises is in `state.raised` too.

    A guest that is to end is not served any more, however long its clock's counts last, and does not go on when it was.
    """
    names = ", ".join(f"a{k}" for k in range(len(type.params)))
    lines = [
        "def make(target, state, clock):",
        f"    def entry({names}):",
        "        try:",
        "            try:",
        "                depth = state.depth",
        "                if clock.is_armed:",
        "                    clock.check()",
        "                state.depth = depth + 1",
        f"                result = target()({names})",
        "                if clock.is_armed:",
        "                    clock.check()",
        *_convert_results(type),
        "                state.depth = depth",
        f"                return {'result' if type.results else 'None'}",
        "            except BaseException as error:",
        "                state.depth = depth",
        "                state.raised = error",
        "                raise",
        "        except BaseException as error:  # CPython 3.10 looks for signals as the other one begins",
        "            state.depth = depth",
        "            state.raised = error",
        "            raise",
        "    return entry",
    ]
    return build_factory(lines, HOST_ENTRY, {})


def _convert_results(type: CoreFuncType) -> list[str]:
    if not {"f32", "f64"} & set(type.results):
        return []
    if len(type.results) == 1:
        return ["                result = result - 0.0"]
    names = [f"r{k}" for k in range(len(type.results))]
    return [
        f"                {', '.join(names)} = result",
        f"                result = ({', '.join(map(_as_native, type.results, names))})",
    ]
