"""A component's function as the import of another, step by step as the specification has it.

In: the lifted function of the one, the options and instance of the other. Out: a core function. It interprets, so it is
slow; it serves functions whose strings change their encoding on the way, which the callee can watch, and instances that
call themselves.

Spec: `CanonicalABI.md`, `canon_lower` over `canon_lift`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from wippywasm.abi import state
from wippywasm.abi.destroying import run_deferred
from wippywasm.abi.entry import BARRED, refuse_thread
from wippywasm.abi.handles import keep_moving
from wippywasm.abi.lift import Lifted
from wippywasm.abi.options import Binding, Options
from wippywasm.abi.reference_context import LiftLowerContext
from wippywasm.abi.reference_flat import CoreValueIter, lift_flat_values, lower_flat_values, unwrap, wrap
from wippywasm.abi.traps import COMPONENT, cannot_leave, tell
from wippywasm.errors import Trap
from wippywasm.layout import MAX_FLAT_PARAMS, MAX_FLAT_RESULTS, flatten_functype
from wippywasm.model import FuncType, ValType


def fuse(ft: FuncType, lifted: Lifted, options: Options, binding: Binding, name: str) -> Callable[..., Any]:
    """The core function for the caller, whose own view of the function's type is `ft`; `name` is for messages."""
    caller, callee = binding.instance, lifted.binding.instance
    entering = callee.entering_set(caller)
    core_type = flatten_functype(ft, "lower")

    def fused(*args: Any) -> Any:
        if not caller.may_leave:
            cannot_leave(name)
        subtask, task = state.Subtask(), state.Task(callee)
        outer = LiftLowerContext(binding, options.string_encoding, subtask, COMPONENT)
        inner = LiftLowerContext(lifted.binding, lifted.options.string_encoding, task, COMPONENT)
        flat_args = CoreValueIter(iter([unwrap(v, t) for v, t in zip(args, core_type.params)]))
        if not callee.is_here:
            refuse_thread(callee)
        entered: list[state.ComponentInstance] = []
        try:
            state.enter_when_free(entering[::-1], caller, False, entered)
        except BaseException:
            for instance in entered:
                instance.leave()
            raise
        try:
            flat_results = _call(ft, lifted, outer, inner, flat_args, name)
            callee.leave_to(caller)
        except BaseException as error:
            try:
                keep_moving(callee, inner.moving + outer.moving)
                state.poison(entering, error)
            finally:  # Ctrl-C may come in any function, and leaves the guest barred all the same
                for instance in entering:
                    instance.may_enter = BARRED
            raise
        finally:
            subtask.deliver_resolve()
        if callee.deferred:
            run_deferred(callee)
        return wrap(flat_results[0], core_type.results[0]) if core_type.results else None

    return fused


def _call(
    ft: FuncType, lifted: Lifted, outer: LiftLowerContext, inner: LiftLowerContext, flat_args: CoreValueIter, name: str
) -> list[Any]:
    """Arguments across, the call, results across, `post-return`."""
    core_type = flatten_functype(lifted.type, "lift")
    with _telling(name, "in an argument of"):
        values = lift_flat_values(outer, MAX_FLAT_PARAMS, flat_args, _params(ft))
        core_args = lower_flat_values(inner, MAX_FLAT_PARAMS, values, _params(lifted.type))
    result = lifted.core.call(*[wrap(v, t) for v, t in zip(core_args, core_type.params)])
    flat = [unwrap(result, t) for t in core_type.results]
    with _telling(name, "in the result of"):
        results = lift_flat_values(inner, MAX_FLAT_RESULTS, CoreValueIter(iter(flat)), _results(lifted.type))
        assert isinstance(inner.borrow_scope, state.Task)
        inner.borrow_scope.return_()
        flat_results = lower_flat_values(outer, MAX_FLAT_RESULTS, results, _results(ft), flat_args)
    if lifted.binding.post_return is not None:
        inner.inst.may_leave = False
        lifted.binding.post_return.call(*([result] if core_type.results else []))
        inner.inst.may_leave = True
    return flat_results


@contextmanager
def _telling(function: str, where: str) -> Iterator[None]:
    try:
        yield
    except Trap as error:
        tell(error, function, where)
        raise


def _params(ft: FuncType) -> tuple[ValType, ...]:
    return tuple(p.type for p in ft.params)


def _results(ft: FuncType) -> tuple[ValType, ...]:
    return () if ft.result is None else (ft.result,)
