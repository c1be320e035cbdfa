"""`canon lift`, compiled: a core function of a guest as a Python function.

In: a function type, the core function, the options and the instance it belongs to. Out: a callable that takes and
returns Python values. Its body is generated once per function type and options (resource types are slots in it) and
bound to each instance:

1. may the instance be entered, and is it its turn; do the arguments fit (`gather`), before the guest runs;
2. all memory the arguments need is allocated, then written (`store`, `flat`);
3. the core function runs; its results are read (`load`, `flat`) and `post-return` runs.

An exception from step 2 on, whatever it is, has unwound frames of the guest: the instance is poisoned.

Spec: `CanonicalABI.md`, "`canon lift`" and "Embedding" (`Store.lift`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

from wippywasm.abi import calls, state
from wippywasm.abi.bounds import check_compilable
from wippywasm.abi.destroying import run_deferred
from wippywasm.abi.entry import is_left_by_collector, refuse_entry, refuse_thread
from wippywasm.abi.fit import arguments_that_fit
from wippywasm.abi.keywords import snake
from wippywasm.abi.needs import Needs, needs_of
from wippywasm.abi.options import Binding, Options
from wippywasm.abi.pacing import LongReading, elsewhere
from wippywasm.abi.remembered import of_functions
from wippywasm.abi.scopes import scope_factory
from wippywasm.abi.shapes import groups_of
from wippywasm.abi.signature import MISSING, Signature, arranged
from wippywasm.abi.slots import number_resources
from wippywasm.abi.source import ARRAY_SIDE, COMPONENT_SIDE, HOST_SIDE, Side, Source
from wippywasm.abi.traps import told_of_call
from wippywasm.calling import refuse_late, under_way
from wippywasm.dataclass import dataclass
from wippywasm.engine.port import CoreFunc
from wippywasm.errors import UnsupportedFeatureError, WitError
from wippywasm.layout import (
    alignment,
    elem_size,
    is_by_pointer,
)
from wippywasm.model import FuncType, ResultType, TupleType
from wippywasm.threads import here
from wippywasm.values import Ok


@dataclass(frozen=True)
class LiftShape:
    """What the generated code depends on."""

    type: FuncType
    string_encoding: str
    side: Side
    nested: bool
    """Whether a call enters other than one instance."""
    bound: bool
    """Whether the instance belongs to a thread."""
    post_return: bool


@of_functions(1024)
def lift_template(shape: LiftShape) -> Callable[..., Callable[..., Any]]:
    """The factory for that shape: called with an instance's own parts, it returns the callable."""
    needs = needs_of(shape.type, "lift")
    w = calls.source_of("lift", needs, shape.string_encoding, shape.side)

    def body(w: Source) -> None:
        args = [f"v{i}_" for i in range(len(needs.params))]
        calls.write_known_end(w, needs)
        if shape.nested:
            w.line("inwards = entering[::-1]")
        parameters = "".join(f"{a}=MISSING, " for a in args) + "/, " * bool(args)
        with w.block(f"{'async ' * w.side.stepwise}def lifted({parameters}*extra, **named):"):
            w.constants["MISSING"] = MISSING
            calls.write_keeps_end(w, needs)
            _write_call(w, shape, needs, args)
        w.line("return lifted")

    crowd = ", crowd" * w.side.stepwise
    w.function("bind", f"signature, inst, entering, caller, core, view, realloc, batch, post, new_scope{crowd}", body)
    if shape.side is COMPONENT_SIDE:
        return w.compile("bind")
    return w.compile("bind", {f"v{i}_": snake(p.name) for i, p in enumerate(shape.type.params)})


def _write_call(w: Source, shape: LiftShape, needs: Needs, args: list[str]) -> None:
    w.constants["under_way"] = under_way
    w.line(f"if under_way: {w.use(refuse_late)}()")
    _write_entry_check(w, shape)
    if w.side.stepwise:
        w.line("if crowd.waiting: await crowd.start()")  # who gives up by then leaves all as it was
    given = f"[{', '.join(args)}]"
    w.line(f"if extra or named: {given} = {w.use(arranged)}(signature, {given}, extra, named)")
    atoms = _write_gather(w, needs, args)
    _write_entry(w, shape, needs)
    with _poisoning(w, needs):
        core_args = _write_lower(w, needs, atoms)
        _write_release(w, needs, atoms)
        wait = "await " if w.side.stepwise else ""
        w.line(f"{'r_ = ' if needs.results else ''}{wait}core({', '.join(core_args)})")
        value = _write_lift(w, needs)
        if calls.gives_handles(w, needs):
            w.line("if caller is not None: caller.arriving = cx.moving")
        if needs.handles:
            w.line("cx.return_()")
        if shape.post_return:
            w.line("inst.may_leave = False")
            w.line(f"{wait}post({'r_' if needs.results else ''})")
            w.line("inst.may_leave = True")
        # As `ComponentInstance.leave` does.
        leave = "{0}.may_enter = {0}.poison is None or 0"
        w.line(f"for i in entering: {leave.format('i')}" if shape.nested else leave.format("inst"))
    w.line(f"if inst.deferred: {w.use(run_deferred)}(inst)")
    if w.side.raises and isinstance(shape.type.result, ResultType):
        w.line(f"if {value}.__class__ is {w.use(Ok)}: return {value}.value")
        w.line(f"raise {w.use(WitError)}({value}.value)")
    elif needs.results:
        w.line(f"return {value}")


def _write_entry_check(w: Source, shape: LiftShape) -> None:
    if shape.bound:
        w.constants["here"] = here
        w.line(f"if here.number != inst.owner: {w.use(refuse_thread)}(inst)")
    w.line(f"if not {'all([i.may_enter for i in entering])' if shape.nested else 'inst.may_enter'}:")
    w.line(f"    if not {w.use(is_left_by_collector)}(entering): {_refusal(w)}")


def _refusal(w: Source) -> str:
    return f"{w.use(refuse_entry)}(entering, caller, signature.name)"


def _entered(w: Source) -> str:
    return "None" if w.side.stepwise else "False"  # `entry.AWAITED`


def _write_entry(w: Source, shape: LiftShape, needs: Needs) -> None:
    """Enter, unless another thread did meanwhile. Nothing may come between the test and what it guards: see `entry`."""
    has_taken = needs.handles and needs.params
    if shape.nested:
        w.line("entered = []")
        with w.block("try:"):
            w.line(f"{w.use(state.enter_when_free)}(inwards, caller, {_entered(w)}, entered)")
        with w.block("except BaseException:"):
            w.line("for i in entered: i.leave()")
            if has_taken:
                _write_undo(w)
            w.line("raise")
        return
    with w.block("while True:"):
        with w.block("if inst.may_enter:"):
            w.line(f"inst.may_enter = {_entered(w)}")
            w.line("break")
        with w.block(f"if not {w.use(is_left_by_collector)}(entering):"):
            if has_taken:
                _write_undo(w)
            w.line(_refusal(w))


@contextmanager
def _undoing(w: Source) -> Iterator[None]:
    """Write what takes handles, and gives them back where something does not fit or Ctrl-C comes.

    In a `finally` that begins with `try`, before which CPython 3.10 does not look for signals, and without a jump that
    is taken where all fits, as it looks there.
    """
    w.line("fits = False")
    with w.block("try:"):
        yield
        w.line("fits = True")
    with w.block("finally:"):
        for part in ("try:", "finally:"):
            with w.block(part):
                w.line("if fits: pass")
                w.line("else: cx.undo()")


def _write_undo(w: Source) -> None:
    """Give back what was taken; again where Ctrl-C comes in between."""
    w.line("try: cx.undo()")
    w.line("finally: cx.undo()")


def _write_gather(w: Source, needs: Needs, args: list[str]) -> list[list[str]]:
    """Phase one, again if the arguments had to be brought into shape first."""
    # What Python passes is not counted: it is there already.
    guests = needs.params if w.side is COMPONENT_SIDE else []
    calls.write_scope(w, needs.results + guests, needs.handles)
    if not args:
        return []
    w.line("tried = False")
    with w.block("while True:"):
        with w.block("try:"):
            with _undoing(w) if needs.handles else nullcontext():
                if needs.allocates or not needs.plain:
                    area = TupleType(tuple(needs.params))
                    w.line(f"req = [{elem_size(area) + (alignment(area) << 32)}]" if needs.spilled else "req = []")
                atoms = calls.gather_all(w, needs.params, args)
            w.line("break")
        with w.block("except Exception as error:"):
            w.line(f"if isinstance(error, {calls.ends(w)}): raise")
            scope = "cx" if needs.handles else "None"
            fitted = f"{w.use(arguments_that_fit)}(signature, tried, [{', '.join(args)}], {scope})"
            w.line(f"[{', '.join(args)}] = {fitted}")
            w.line("tried = True")
    return atoms


@contextmanager
def _poisoning(w: Source, needs: Needs) -> Iterator[None]:
    """Write what runs in the guest: any exception bars the instances it had entered.

    What is wrong is in the result once there is `r_`, which no WIT name becomes; before, it is in the arguments, or was
    raised by a host function that the guest called.
    """
    with w.block("try:"):
        with w.block("try:"):
            yield
        with w.block("except BaseException as error:"):
            w.line("told, returned = error, False")
            with w.block("try:"):
                with w.block("try:"):
                    if needs.handles:  # while nobody else can close the guest
                        w.line("cx.fail()")
                    if needs.results:
                        w.line("try: returned = (r_, True)[1]")
                        w.line("except NameError: pass")
                    w.line(f"told = {w.use(told_of_call)}(error, signature.name, returned)")
                w.line(f"finally: {w.use(state.poison)}(entering, told)")
                w.line("if told is not error: raise told from error")
                w.line("raise")
            w.line("finally: told = None")  # whose traceback has this frame: it would keep all that the call made
    with w.block("except BaseException:"):  # Ctrl-C may come in any of these, and leaves the guest barred all the same
        w.line("for i in entering: i.may_enter = 0")
        w.line("raise")


def _write_lower(w: Source, needs: Needs, atoms: list[list[str]]) -> list[str]:
    """Phases two and three; the expressions for the core arguments."""
    if needs.allocates:
        calls.write_allocation(w)
    if not needs.spilled:
        return calls.write_flat(w, needs.params, atoms)
    w.line("area = nxt()")
    calls.write_area(w, needs.params, atoms, "area")
    return ["area if area < 0x80000000 else area - 0x100000000"]


def _write_release(w: Source, needs: Needs, atoms: list[list[str]]) -> None:
    """Free what was copied to the guest before it runs; large results then find the memory warm."""
    if groups_of(needs.params):
        copied = [a for row in atoms for a in row]
    else:
        copied = [a for t, row in zip(needs.params, atoms) if is_by_pointer(t) for a in row[:1]]
    if copied:
        w.line(" = ".join([*copied, "None"]))


def _write_lift(w: Source, needs: Needs) -> str:
    """Read the result; the variable that has it."""
    if not needs.results:
        return ""
    if needs.returned:
        calls.write_view(w)
        return _write_read(w, needs)
    return calls.read_flat(w, needs.results, iter(["r_"]))[0]


def _write_read(w: Source, needs: Needs) -> str:
    """Read a result in memory; what holds a task up too long is read elsewhere, where no handles are in it."""
    if not w.side.stepwise or needs.handles or not calls.has_lists(needs.results):
        return calls.read_area(w, needs.results, "r_")[0]
    read = w.helper("read", needs.results[0], "m, end, r_, cx", partial(_write_reading, needs))
    w.line("cx.reading = True")
    w.line(f"try: value = {read}(m, end, r_, cx)")
    w.line(f"except {w.use(LongReading)}: value = await {w.use(elsewhere)}({read}, m, end, r_, inst)")
    return "value"


def _write_reading(needs: Needs, w: Source) -> None:
    [value] = calls.read_area(w, needs.results, "r_")
    w.line(f"return {value}")


class Lifted:
    """What a lifted function was made of; the callables that `lift` makes lead to it, for `lower` to find.

    One that `is_apart` is of another thread: only what `bind` makes may be called from here, `core` is out of reach.
    """

    __slots__ = ("binding", "core", "options", "type")
    is_apart = False

    def __init__(self, type: FuncType, core: CoreFunc, options: Options, binding: Binding) -> None:
        self.type = type
        self.core = core
        self.options = options
        self.binding = binding

    def bind(self, caller: state.ComponentInstance | None, name: str, side: Side) -> Callable[..., Any]:
        """The callable for calls from there."""
        return PreparedLift(self.type, self.options, name, side).code(self.core, self.binding, caller)


class PreparedLift:
    """What lifting a function takes that is the same for all instances."""

    __slots__ = ("_needs", "_numbered", "_resources", "_side", "_signature", "_templates", "name", "options", "type")

    def __init__(self, type: FuncType, options: Options, name: str, side: Side, bound: FuncType | None = None) -> None:
        self.type = type
        self.options = options
        self.name = name
        self._side = side
        self._signature = Signature(bound or type, name)
        self._numbered, self._resources = number_resources(bound or type)
        self._needs = needs_of(self._numbered, "lift")
        self._templates: dict[tuple[bool, bool, bool], Callable[..., Callable[..., Any]]] = {}

    def bind(
        self, core: CoreFunc, binding: Binding, caller: state.ComponentInstance | None = None
    ) -> Callable[..., Any]:
        """The Python function for that core function; see `lift`."""
        function = self.code(core, binding, caller)
        function.__name__ = function.__qualname__ = self.name
        mark_lifted(function, Lifted(self.type, core, self.options, binding))
        return function

    def lifted(self, core: CoreFunc, binding: Binding) -> Lifted:
        """What `lower` makes an import of another component of."""
        self._needs.check(binding, self.name)
        return Lifted(self.type, core, self.options, binding)

    def code(self, core: CoreFunc, binding: Binding, caller: state.ComponentInstance | None) -> Callable[..., Any]:
        """The generated function, bound. It looks only at what it needs of `binding`."""
        needs, inst, post = self._needs, binding.instance, binding.post_return
        memory = realloc = batch = None
        if needs.reads or needs.returned or needs.allocates:
            needs.check(binding, self.name)
            memory = binding.memory if needs.reads or needs.returned else None
            realloc, batch = (binding.realloc, binding.batch) if needs.allocates else (None, None)
        entering = (inst,) if caller is None and inst.parent is None else inst.entering_set(caller)
        key = entering != (inst,), inst.owner is not None, post is not None
        return (self._templates.get(key) or self._template(*key))(
            self._signature,
            inst,
            entering,
            caller,
            core.call,
            None if memory is None else memory.view,
            None if realloc is None else realloc.call,
            batch,
            None if post is None else post.call,
            scope_factory(binding, self._resources, self._side) if self._resources else None,
            *([binding.crowd] if self._side.stepwise else ()),
        )

    def _template(self, nested: bool, bound: bool, post_return: bool) -> Callable[..., Callable[..., Any]]:
        shape = LiftShape(self._numbered, self.options.string_encoding, self._side, nested, bound, post_return)
        made = self._templates[nested, bound, post_return] = lift_template(shape)
        return made


def prepare_lift(
    ft: FuncType, options: Options, name: str, side: Side = HOST_SIDE, bound: FuncType | None = None
) -> PreparedLift:
    """`lift`, up to what depends on the instance. Raises UnsupportedFeatureError.

    With `STEPWISE_SIDE` the functions are coroutine functions, for guests that may be suspended: what they call of the
    guest (`core`, `realloc`, `post_return` and `batch` of the binding) returns awaitables. A cancelled call leaves the
    instance poisoned. `bound` is the type with classes in it (`classes`), for what Python calls.
    """
    if options.is_async or ft.is_async:
        raise UnsupportedFeatureError("asynchronous functions", "wippywasm")
    check_compilable(ft)
    return PreparedLift(ft, options, name, side, bound)


def lift(
    ft: FuncType,
    core: CoreFunc,
    options: Options,
    binding: Binding,
    *,
    caller: state.ComponentInstance | None = None,
    name: str = "lifted",
    buffers: bool = False,
) -> Callable[..., Any]:
    """The Python function for a core function of an instance.

    `ft` is structural (no `TypeDef`). With `buffers`, lists of numbers come out as `array.array`. The callable raises
    `ValueMismatchError` before the guest runs, `Trap`, `PoisonedError` once an earlier call trapped, `ThreadError`,
    and whatever a host function that the guest called raised. A `result` comes out as `Ok` or `Err`. Arguments may be
    given by their names.
    """
    return prepare_lift(ft, options, name, ARRAY_SIDE if buffers else HOST_SIDE).bind(core, binding, caller)


LIFTED = "lifted"
"""The attribute of a lifted function that has its code and its `Lifted`."""


def mark_lifted(function: Callable[..., Any], lifted: Lifted) -> None:
    """Let `lifted_of` find what the function was made of."""
    function.__dict__[LIFTED] = function.__code__, lifted


def lifted_of(function: Callable[..., Any]) -> Lifted | None:
    """What a function was made of, if it lifts one."""
    found = getattr(function, LIFTED, None)
    # `functools.wraps` copies attributes to functions that are not ours.
    if not isinstance(found, tuple) or found[0] is not getattr(function, "__code__", None):
        return None
    lifted: Lifted = found[1]
    return lifted
