"""What the host raises unwinds the guest and comes out as the same object; guest and host may call each other."""

from __future__ import annotations

import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest

from tests.engine.guests import NOTHING, build, call, calling
from wippywasm.core import CoreFuncType
from wippywasm.engine.port import Engine, Store
from wippywasm.errors import Trap

CALLER = '(module $caller (import "host" "f" (func $f)) (func $inner (call $f)) (func (export "go") (call $inner)))'


class Odd(BaseException):
    """Neither an `Exception` nor anything an engine knows."""


@pytest.mark.parametrize(
    "error", [ValueError("v"), KeyboardInterrupt(), SystemExit(3), Odd(), RuntimeError("unreachable")]
)
def test_the_very_object_comes_out(engine: Engine, error: BaseException) -> None:
    def fail() -> None:
        raise error

    instance = calling(engine, CALLER, fail)
    for _ in range(3):
        with pytest.raises(type(error)) as caught:
            call(instance, "go")
        assert caught.value is error


def test_the_traceback_leads_to_the_host_function(engine: Engine) -> None:
    def fail_here() -> None:
        raise ValueError("deep")

    instance = calling(engine, CALLER, fail_here)
    with pytest.raises(ValueError, match="deep") as caught:
        call(instance, "go")
    names = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert names[-1] == "fail_here"
    assert "call" in names


def test_a_host_function_in_a_start_function(store: Store) -> None:
    error = LookupError("at start")

    def fail() -> None:
        raise error

    with pytest.raises(LookupError) as caught:
        build(store, '(module (import "h" "f" (func $f)) (start $f))', [store.host_func(NOTHING, fail)])
    assert caught.value is error


def test_guest_host_guest_host(engine: Engine) -> None:
    """Each level adds its number; the innermost raises on demand, and every level sees it pass."""
    store = engine.new_store()
    seen: list[int] = []
    error = KeyError("innermost")

    def host(level: int) -> int:
        seen.append(level)
        if level == 0:
            raise error
        try:
            return int(call(instance, "go", level - 1)) + level
        finally:
            seen.append(-level)

    instance = build(
        store,
        """(module (import "h" "f" (func $f (param i32) (result i32)))
          (func (export "go") (param i32) (result i32)
            (if (result i32) (i32.eq (local.get 0) (i32.const 100)) (then (i32.const 7))
              (else (i32.add (call $f (local.get 0)) (i32.const 0))))))""",
        [store.host_func(CoreFuncType(("i32",), ("i32",)), host)],
    )
    with pytest.raises(KeyError) as caught:
        call(instance, "go", 4)
    assert caught.value is error
    assert seen == [4, 3, 2, 1, 0, -1, -2, -3, -4]
    assert call(instance, "go", 100) == 7
    store.close()


def test_a_host_function_may_handle_the_guest_trap_it_caused(engine: Engine) -> None:
    store = engine.new_store()
    caught: list[str] = []

    def host() -> None:
        try:
            call(instance, "trap")
        except Trap as error:
            caught.append(error.code)

    instance = build(
        store,
        """(module (import "h" "f" (func $f)) (func (export "trap") unreachable)
          (func (export "go") (result i32) (call $f) (call $f) (i32.const 9)))""",
        [store.host_func(NOTHING, host)],
    )
    assert call(instance, "go") == 9
    assert caught == ["unreachable", "unreachable"]
    store.close()


def test_a_call_in_between_does_not_disturb_arguments_or_results(engine: Engine) -> None:
    """The same function is entered again, through the host, before its first call has returned."""
    store = engine.new_store()
    pair = CoreFuncType(("i32", "i64"), ("i32", "i64"))

    def host(a: int, b: int) -> tuple[int, int]:
        if a > 0:
            assert call(instance, "go", a - 1, b + 10) == (a, b + 11)
        return a, b

    instance = build(
        store,
        """(module (import "h" "f" (func $f (param i32 i64) (result i32 i64)))
          (func (export "go") (param i32 i64) (result i32 i64)
            (call $f (local.get 0) (local.get 1)) (local.set 1) (local.set 0)
            (i32.add (local.get 0) (i32.const 1)) (i64.add (local.get 1) (i64.const 1))))""",
        [store.host_func(pair, host)],
    )
    assert call(instance, "go", 6, 100) == (7, 101)
    store.close()


def test_results_that_are_not_numbers_are_refused(store: Store) -> None:
    text = '(module (import "h" "f" (func $f (result i32))) (func (export "go") (result i32) (call $f)))'
    for wrong in ("text", None):
        instance = build(store, text, [store.host_func(CoreFuncType((), ("i32",)), lambda wrong=wrong: wrong)])
        with pytest.raises(TypeError):
            call(instance, "go")
    instance = build(store, text, [store.host_func(CoreFuncType((), ("i32",)), lambda: -3)])
    assert call(instance, "go") == -3


@pytest.mark.parametrize("limit", [1000, 250])
def test_endless_recursion_through_the_host_ends_as_a_trap(engine: Engine, limit: int) -> None:
    """Whichever is used up first, Python's stack or the guest's; and everything works as before afterwards."""
    before = sys.getrecursionlimit()
    depth = len(traceback.extract_stack())
    store = engine.new_store()

    def host() -> None:
        call(instance, "go")

    instance = build(store, CALLER, [store.host_func(NOTHING, host)])
    sys.setrecursionlimit(depth + limit)
    try:
        for _ in range(3):
            with pytest.raises(Trap) as caught:
                call(instance, "go")
            assert caught.value.code == "call stack exhausted"
    finally:
        sys.setrecursionlimit(before)
    store.close()


def test_python_at_its_limit_calls_a_guest_that_calls_python(engine: Engine) -> None:
    """At every depth up to the limit: an answer or a RecursionError, and never a host function that could not start."""
    calls = []
    store = engine.new_store()
    instance = build(store, CALLER, [store.host_func(NOTHING, lambda: calls.append(1))])
    go = instance.export("go").call
    done: list[int] = []

    def descend() -> None:
        descend_next()
        before = len(calls)
        go()
        done.append(len(calls) - before)

    def descend_next() -> None:
        try:
            descend()
        except RecursionError:
            pass

    before = sys.getrecursionlimit()
    sys.setrecursionlimit(len(traceback.extract_stack()) + 120)
    try:
        descend()
    finally:
        sys.setrecursionlimit(before)
    assert len(done) > 10
    assert set(done) == {1}
    store.close()


def test_the_hosts_own_recursion_error_is_its_own(engine: Engine) -> None:
    def endless() -> None:
        endless()

    instance = calling(engine, CALLER, endless)
    with pytest.raises(RecursionError):
        call(instance, "go")


@pytest.mark.parametrize("where", ["main thread", "other thread"])
def test_a_guest_that_leaves_little_stack_calls_the_host(engine: Engine, where: str) -> None:
    """At every depth that the guest can reach, the host function runs whole or not at all."""
    outcomes: list[Any] = []
    thread = threading.Thread(target=_descend, args=(engine, outcomes))
    if where == "main thread":
        thread.run()
    else:
        thread.start()
        thread.join()
    assert set(outcomes) == {"whole", "call stack exhausted"}


def _descend(engine: Engine, outcomes: list[Any]) -> None:
    store = engine.new_store()
    stages: list[str] = []

    def host() -> None:
        stages.append("started")
        _burn(40)
        stages.append("finished")

    instance = build(
        store,
        """(module (import "h" "f" (func $f))
          (func $down (param i32) (if (local.get 0)
            (then (call $down (i32.sub (local.get 0) (i32.const 1)))) (else (call $f))))
          (func (export "go") (param i32) (call $down (local.get 0))))""",
        [store.host_func(NOTHING, host)],
    )
    low, high = 0, 600_000
    while high - low > high // 80:  # towards the deepest recursion that still leaves room for the host
        stages.clear()
        middle = (low + high) // 2
        try:
            call(instance, "go", middle)
        except Trap as error:
            high = middle
            outcomes.append(stages[:] or error.code)
        else:
            low = middle
            outcomes.append("whole" if stages == ["started", "finished"] else stages[:])
    store.close()


def _burn(depth: int) -> int:
    return depth and 1 + _burn(depth - 1)


@pytest.fixture
def alarm() -> Iterator[None]:
    """SIGALRM raises KeyboardInterrupt, as Ctrl-C would, wherever it strikes in generated code or below."""

    def interrupt(_: int, frame: FrameType | None) -> None:
        while frame is not None:
            if frame.f_code.co_name == "unraisable_hook":
                return
            if frame.f_code.co_filename.startswith("<wippywasm guest call"):
                raise KeyboardInterrupt
            frame = frame.f_back

    def unraisable_hook(lost: Any) -> None:
        if not issubclass(lost.exc_type, KeyboardInterrupt):  # Python loses what strikes in a finalizer
            tell(lost)

    before, tell = signal.signal(signal.SIGALRM, interrupt), sys.unraisablehook
    sys.unraisablehook = unraisable_hook
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)
    sys.unraisablehook = tell


@pytest.mark.usefixtures("alarm")
def test_a_signal_while_the_guest_runs_is_raised_when_it_calls_the_host(engine: Engine) -> None:
    """Python runs the signal's handler as it enters the host function, before the function's first line."""
    ran: list[int] = []
    store = engine.new_store()
    instance = build(
        store,
        """(module (import "h" "f" (func $f))
          (func (export "go") (param i64)
            (loop $again (local.set 0 (i64.sub (local.get 0) (i64.const 1)))
              (br_if $again (i32.wrap_i64 (i64.shr_u (local.get 0) (i64.const 8)))))
            (call $f) (call $f)))""",
        [store.host_func(NOTHING, lambda: ran.append(1))],
    )
    call(instance, "go", 1 << 10)
    assert ran == [1, 1]
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    with pytest.raises(KeyboardInterrupt):
        call(instance, "go", 300_000_000)
    assert len(ran) < 4
    store.close()


@pytest.mark.usefixtures("alarm")
def test_signals_all_the_time(engine: Engine) -> None:
    """Hundreds of interrupts at arbitrary places end calls, and nothing else."""
    store = engine.new_store()
    instance = build(
        store,
        """(module (import "h" "f" (func $f (param i32) (result i32)))
          (func (export "go") (result i32) (local i32) (local i32)
            (loop $again
              (local.set 1 (i32.add (local.get 1) (call $f (local.get 0))))
              (br_if $again (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 300))))
            (local.get 1)))""",
        [store.host_func(CoreFuncType(("i32",), ("i32",)), lambda x: x)],
    )
    interrupted = finished = 0
    signal.setitimer(signal.ITIMER_REAL, 0.002, 0.0007)
    for _ in range(400):
        try:
            result = call(instance, "go")
            finished += 1
            assert result == 300 * 299 // 2
        except KeyboardInterrupt:
            interrupted += 1
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert interrupted > 5
    assert call(instance, "go") == 300 * 299 // 2
