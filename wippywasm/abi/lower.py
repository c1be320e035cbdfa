"""`canon lower`, compiled: a Python function as a core function that a guest imports.

In: a function type, a callable, the options and the instance that imports it. Out: its core type, and a callable over
core values. Its body is generated once per function type and options and bound to each instance:

1. may the instance be left; its arguments are read (`load`, `flat`);
2. the function runs; what it returns may be something to wait for (`waiting`), which is left to the guest's `Park`, as
   is what needs memory of a guest whose allocations take long;
3. its result is checked (`gather`), memory for it is allocated, and it is written (`store`, `flat`).

Spec: `CanonicalABI.md`, "`canon lower`".
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from wippywasm.abi import calls, waiting
from wippywasm.abi.bounds import check_compilable
from wippywasm.abi.fit import result_that_fits
from wippywasm.abi.lift import Lifted, lifted_of
from wippywasm.abi.needs import Needs, needs_of
from wippywasm.abi.options import Binding, Options
from wippywasm.abi.parts import contains, is_handle, types_of
from wippywasm.abi.remembered import of_functions
from wippywasm.abi.scopes import scope_factory
from wippywasm.abi.signature import Signature, no_result
from wippywasm.abi.slots import number_resources
from wippywasm.abi.source import COMPONENT_SIDE, HOST_SIDE, Side, Source
from wippywasm.abi.traps import cannot_leave, tell, tell_lifting
from wippywasm.abi.waiting import Park, refuse_to_wait
from wippywasm.core import CoreFuncType
from wippywasm.dataclass import dataclass
from wippywasm.errors import Trap, UnsupportedFeatureError
from wippywasm.layout import (
    flatten_functype,
)
from wippywasm.model import STRING, FuncType, TupleType


@dataclass(frozen=True)
class LowerShape:
    """What the generated code depends on."""

    type: FuncType
    string_encoding: str
    side: Side


@of_functions(1024)
def lower_template(shape: LowerShape) -> Callable[..., Callable[..., Any]]:
    """The factory for that shape: called with an instance's own parts, it returns the core callable."""
    needs = needs_of(shape.type, "lower")
    w = calls.source_of("lower", needs, shape.string_encoding, shape.side)

    def body(w: Source) -> None:
        calls.write_known_end(w, needs)
        with w.block("def finish(cx, area, v):"):
            calls.write_keeps_end(w, needs)
            _write_returning(w, needs)
        if _has_steps(w, needs):
            with w.block("def steps(cx, area, v):"):
                calls.write_keeps_end(w, needs)
                _write_returning(w, needs, yields=True)
        args = [f"c{i}" for i in range(len(needs.core.params))]
        with w.block(f"def lowered({', '.join(args)}):"):
            _write_body(w, needs, args)
        w.line("return lowered")

    w.function("bind", "signature, inst, function, view, realloc, batch, new_scope, park, core_realloc, pace", body)
    return w.compile("bind")


def _write_body(w: Source, needs: Needs, args: list[str]) -> None:
    w.line(f"if not inst.may_leave: {w.use(cannot_leave)}(signature.name)")
    calls.write_scope(w, needs.params + needs.results, needs.handles)
    if not needs.handles:
        _write_call(w, needs, args)
        return
    if _gives(w, needs):
        w.line("v = None")
    with w.block("try:"):
        _write_call(w, needs, args)
    if w.side is COMPONENT_SIDE:
        with w.block("except BaseException:"):
            w.line("cx.fail()")
            w.line("raise")
    elif _gives(w, needs):
        with w.block("except BaseException as error:"):
            with w.block("if cx is not None and not isinstance(error, Exception):"):
                _write_keeping(w, needs)
            w.line("raise")
    with w.block("finally:"):
        if calls.gives_handles(w, needs):
            w.line("inst.arriving = ()")
        w.line("if cx is not None: cx.subtask.deliver_resolve()")


def _write_call(w: Source, needs: Needs, args: list[str]) -> None:
    values = _write_params(w, needs, args)
    w.line(f"v = function({', '.join(values)})")
    area = args[-1] if needs.returned else "0"
    if w.side is not COMPONENT_SIDE:
        w.constants["PLAIN"] = waiting.PLAIN
        with w.block(f"if v.__class__ not in PLAIN and {w.use(waiting.is_awaitable)}(v):"):
            _write_park(w, needs, area)
    if _has_steps(w, needs):
        with w.block("if pace.nested and park.is_better_suspended(function):"):
            w.line(f"v = {w.use(waiting.there)}(v)")
            _write_park(w, needs, area)
    w.line(f"return finish(cx, {area}, v)")


def _write_park(w: Source, needs: Needs, area: str) -> None:
    """Leave the rest for later, when `v` has been awaited; the call's handles live until then.

    Where nobody begins to await it, what the guest gave may not have arrived.
    """
    w.constants["partial"] = partial
    scope = "scope" if needs.handles else "cx"
    steps = f", partial(steps, {scope}, {area})" if _has_steps(w, needs) else ""
    parked = f"return park(v, partial(finish, {scope}, {area}){steps})"
    if not needs.handles:
        w.line(parked)
        return
    w.line("scope, cx = cx, None")
    w.line(f"v = {w.use(waiting.resolved)}(v, scope)")
    w.line(f"try: {parked}")
    with w.block("except BaseException:"):
        w.line(f"{w.use(waiting.fail)}(scope, function)")
        w.line("raise")


def _has_steps(w: Source, needs: Needs) -> bool:
    """Whether the result may be lowered while the guest is suspended."""
    return needs.allocates and w.side is not COMPONENT_SIDE


def _write_returning(w: Source, needs: Needs, yields: bool = False) -> None:
    """`_write_finish`, and what becomes of handles that the guest does not get."""
    if not (needs.allocates or needs.returned or _gives(w, needs)):
        _write_finish(w, needs, yields)
        return
    with w.block("try:"):
        _write_finish(w, needs, yields)
    with w.block("except BaseException as error:"):
        if _gives(w, needs):
            _write_keeping(w, needs)
        _write_telling(w, tell, "in the result of")


def _gives(w: Source, needs: Needs) -> bool:
    """Whether the host gives handles in the result."""
    return w.side is not COMPONENT_SIDE and contains(needs.results, is_handle)


def _write_keeping(w: Source, needs: Needs) -> None:
    """Where the guest does not get the result, it has the handles in it all the same, as it is ending."""
    take = w.helper("take", needs.results[0], "cx, v_", partial(_write_taking, needs))
    w.line(f"cx.fail_to_get(error, {take}, v)")


def _write_taking(needs: Needs, w: Source) -> None:
    w.line("req = []")
    calls.gather_all(w, needs.results, ["v_"])


def _write_finish(w: Source, needs: Needs, yields: bool = False) -> None:
    """Lower the result `v`, into `area` where it is not returned flat."""
    if not needs.results:
        w.line(f"if v is not None: {w.use(no_result)}(signature, v)")
        return
    atoms = _write_gather(w, needs)
    if needs.returned:
        w.line("p = area & 0xffffffff")
        if not needs.allocates:
            calls.write_view(w)
        # Before anything is allocated: what grows then would make a wrong pointer right.
        calls.write_area_check(w, TupleType(tuple(needs.results)), looks=needs.allocates)
    if needs.allocates:
        calls.write_allocation(w, yields)
    else:
        w.line("nxt = None")
    if needs.returned:
        calls.write_area(w, needs.results, atoms, "p")
    else:
        w.line(f"return {calls.write_flat(w, needs.results, atoms)[0]}")


def _write_params(w: Source, needs: Needs, args: list[str]) -> list[str]:
    if needs.reads:
        calls.write_view(w)
    if not needs.params:
        return []
    with w.block("try:"):
        if needs.spilled:
            values = calls.read_area(w, needs.params, args[0])
        else:
            values = calls.read_flat(w, needs.params, iter(args))
        w.line("pass")
    if needs.handles:
        with w.block("except BaseException as error:"):
            w.line("cx.fail()")
            _write_telling(w, tell_lifting, "in an argument of")
    else:
        with w.block(f"except ({w.constant(Trap, 'Trap')}, UnicodeDecodeError) as error:"):
            _write_telling(w, tell_lifting, "in an argument of")
    return values


def _write_telling(w: Source, tell: Callable[[BaseException, str, str], None], where: str) -> None:
    """Raise what is wrong with values, saying of which function they are."""
    w.line(f"{w.use(tell)}(error, signature.name, {where!r})")
    w.line("raise")


def _write_gather(w: Source, needs: Needs) -> list[list[str]]:
    w.line("tried = False")
    with w.block("while True:"):
        with w.block("try:"):
            w.line("req = []")
            w.line("v_ = v")
            atoms = calls.gather_all(w, needs.results, ["v_"])
            if _gives(w, needs):
                w.line("cx.is_whole = True")
            w.line("break")
        with w.block("except Exception as error:"):
            if needs.handles:
                w.line("cx.undo()")
            w.line(f"if isinstance(error, {calls.ends(w)}): raise")
            w.line(f"v = {w.use(result_that_fits)}(signature, tried, v, cx)")
            w.line("tried = True")
    return atoms


def lower(
    ft: FuncType,
    function: Callable[..., Any] | Lifted,
    options: Options,
    binding: Binding,
    *,
    name: str = "lowered",
    park: Park = refuse_to_wait,
) -> tuple[CoreFuncType, Callable[..., Any]]:
    """The core function, and its type, that calls a Python function for an instance.

    `ft` is structural. `function` returns `Ok` or `Err` for a `result`; one that `lift` made, or its `Lifted`, is
    called as a component calls another. What `function` returns may be an awaitable, which goes to `park`. The core
    callable raises `Trap` for what the guest got wrong, `ValueMismatchError` for a result that does not fit, and
    whatever `function` raises.
    """
    if options.is_async or ft.is_async:
        raise UnsupportedFeatureError("asynchronous functions", "wippywasm")
    check_compilable(ft)
    lifted = function if isinstance(function, Lifted) else lifted_of(function)
    if lifted is not None:
        core = _compose(ft, lifted, options, binding, name)
    else:
        assert not isinstance(function, Lifted)
        core = bind_lower(ft, function, options, binding, name, HOST_SIDE, park)
    core.__name__ = core.__qualname__ = name
    return flatten_functype(ft, "lower"), core


def _compose(ft: FuncType, lifted: Lifted, options: Options, binding: Binding, name: str) -> Callable[..., Any]:
    """A component's function as the import of another: compiled, unless the guests can see each step.

    They see strings being transcoded. An instance that calls itself sees that it is given memory for the result before
    `post-return`; compiled code is done with the callee before the caller allocates. No step is for both, where each is
    in a thread of its own.
    """
    encodings = {options.string_encoding, lifted.options.string_encoding}
    is_itself = lifted.binding.instance is binding.instance and lifted.binding.post_return is not None
    is_alike = (len(encodings) == 1 and "latin1+utf16" not in encodings) or not _has_strings(ft)
    if lifted.is_apart or (is_alike and not is_itself):
        inner = lifted.bind(binding.instance, name, COMPONENT_SIDE)
        return bind_lower(ft, inner, options, binding, name, COMPONENT_SIDE)
    from wippywasm.abi.fuse import fuse  # an interpreter, which few components need

    return fuse(ft, lifted, options, binding, name)


def _has_strings(ft: FuncType) -> bool:
    return contains(types_of(ft), lambda t: t == STRING)


def bind_lower(
    ft: FuncType,
    function: Callable[..., Any],
    options: Options,
    binding: Binding,
    name: str,
    side: Side,
    park: Park = refuse_to_wait,
) -> Callable[..., Any]:
    """The compiled core function for an instance."""
    numbered, resources = number_resources(ft)
    needs_of(numbered, "lower").check(binding, name)
    return lower_template(LowerShape(numbered, options.string_encoding, side))(
        Signature(ft, name),
        binding.instance,
        function,
        None if binding.memory is None else binding.memory.view,
        None if binding.realloc is None else binding.realloc.call,
        binding.batch,
        scope_factory(binding, resources, side),
        park,
        binding.realloc,
        getattr(park, "pace", waiting.ALWAYS_QUICK),
    )
