"""Calls of a guest's functions on fibers: generated coroutine functions, which a suspended guest's caller awaits.

In: a function of a guest, and the `Fibers` of its store. Out: the same as a `StepwiseFunc`.

Reference: wasmtime's `async.h`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from ctypes import c_size_t, c_void_p
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from wippywasm.calling import under_way
from wippywasm.core import CoreFuncType, CoreValType
from wippywasm.engine import wasmtime_capi as capi
from wippywasm.engine.codegen import build_factory
from wippywasm.engine.recursion import unless_too_deep
from wippywasm.engine.stacks import UNKNOWN
from wippywasm.engine.wasmtime_items import WasmtimeFunc
from wippywasm.errors import CanceledError

if TYPE_CHECKING:
    from wippywasm.engine.wasmtime_fibers import Fibers


class StepwiseFunc:
    """A function of a guest whose calls can be suspended."""

    __slots__ = ("_block", "call", "type")

    def __init__(self, func: WasmtimeFunc, fibers: Fibers) -> None:
        self.type = func.type
        params, results = len(func.type.params), len(func.type.results)
        block = self._block = capi.block(16 + capi.VAL_SIZE * (params + results))
        for index, param in enumerate(func.type.params):
            block.view()[16 + capi.VAL_SIZE * index] = capi.KINDS[param]
        first = block.address + 16
        values = block.view(16)
        self.call = _call_factory(func.type)(
            func.store.context,
            func.handle,
            (c_void_p(first), c_size_t(params), c_void_p(first + capi.VAL_SIZE * params), c_size_t(results)),
            (c_void_p(block.address), c_void_p(block.address + 8)),
            block.view(0, 16).cast("Q"),
            {code: values.cast(code) for code in _CODES},
            fibers,
            func.store.running,
            _Failure(func, block),
        )


class _Failure:
    """Turns what a call gave back into an exception; keeps alive what the call points at."""

    __slots__ = ("_block", "_func")

    def __init__(self, func: WasmtimeFunc, block: capi.Block) -> None:
        self._func = func
        self._block = block

    def __call__(self, error: int, trap: int) -> BaseException:
        return self._func.store.failure(error, trap)


_CODES: tuple[Literal["i", "q", "f", "d"], ...] = ("i", "q", "f", "d")
_VIEWS = {"i32": ("i", 4), "i64": ("q", 8), "f32": ("f", 4), "f64": ("d", 8)}


def _slot(type: CoreValType, index: int) -> str:
    code, size = _VIEWS[type]
    return f"{code}[{(capi.VAL_SIZE * index + capi.VAL_OF) // size}]"


@lru_cache(maxsize=1024)
def _call_factory(type: CoreFuncType) -> Callable[..., Callable[..., Awaitable[Any]]]:
    """The factory of coroutine functions that call a function of that type on a fiber."""
    params, results = len(type.params), len(type.results)
    loads = [_slot(r, params + k) for k, r in enumerate(type.results)]
    lines = [
        "def make(context, function, slots, out, t, views, fibers, running, fail):",
        "    args, count, results, result_count = slots",
        "    trap, error = out",
        "    i, q, f, d = views['i'], views['q'], views['f'], views['d']",
        "    drive, abandon, ticker = fibers.drive, fibers.abandon, fibers.ticker",
        "    cancelled = fibers.let_cancel",
        f"    async def call({', '.join(f'a{k}' for k in range(params))}):",
        *(f"        {_slot(p, k)} = a{k}" for k, p in enumerate(type.params)),
        "        t[0] = t[1] = 0",
        "        future = running.future = start(context, function, args, count, results, result_count, trap, error)",
        "        arm(context, running.slice)",
        "        ticker.used = True",
        "        if not ticker.awake:",
        "            ticker.wake()",
        "        running.on_fiber = True",
        "        running.stack = unknown",
        "        push(None)",
        "        try:",
        "            try:",
        "                done = poll(future)",
        "            finally:",
        "                pop()",
        "            running.on_fiber = False",
        "            if not done:",
        "                await drive(future)",
        "        except RecursionError as full:",
        "            abandon(full)",
        "            raise unless_too_deep(full)",
        "        except BaseException as raised:",
        "            abandon(raised)",
        "            if isinstance(raised, CanceledError):",
        "                await cancelled()",
        "            raise",
        "        running.future = 0",
        "        running.stack = unknown",
        "        delete(future)",
        "        if t[0] or t[1]:",
        "            failure = fail(t[1], t[0])",
        "            if running.nested or isinstance(failure, CanceledError):",
        "                await cancelled()",
        "            raise failure",
        f"        return {'(' * (results > 1)}{', '.join(loads) or None}{')' * (results > 1)}",
        "    return call",
    ]
    scope = {
        "start": capi.func_call_async,
        "poll": capi.future_poll,
        "delete": capi.future_delete,
        "arm": capi.set_epoch_deadline,
        "unknown": UNKNOWN,
        "unless_too_deep": unless_too_deep,
        "push": under_way.append,
        "pop": under_way.pop,
        "CanceledError": CanceledError,
    }
    return build_factory(lines, "fiber call", scope)
