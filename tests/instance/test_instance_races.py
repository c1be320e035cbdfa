"""What two threads do to a guest at the same moment: each has its way or is refused, and nothing is left half done."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from tests.instance.test_instance_resources import COUNTERS
from tests.instance.test_instance_threads import CALLER, NESTED, WAIT, Host
from wippywasm import Limits
from wippywasm.errors import CanceledError, ConflictError, PoisonedError, ThreadError, TimedOutError, UnavailableError
from wippywasm.threads import here


@pytest.fixture
def many_switches() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def at_once(*functions: Callable[[], Any]) -> list[Any]:
    """What each gave or raised, all begun at the same moment, each in a thread of its own."""
    barrier = threading.Barrier(len(functions))

    def run(function: Callable[[], Any]) -> Any:
        barrier.wait(WAIT)
        try:
            return function()
        except Exception as error:  # noqa: BLE001  (who asked looks at it)
            return error

    with ThreadPoolExecutor(len(functions)) as pool:
        return [done.result(WAIT) for done in [pool.submit(run, f) for f in functions]]


def test_a_function_is_not_looked_for_while_another_thread_is_in_the_guest(load: Any, engine: str) -> None:
    host = Host()

    def use() -> int:
        with load(CALLER).instantiate({"host": host.host}) as guest:
            guests.append(guest)
            return int(guest.call("call", 1))

    guests: list[Any] = []
    with ThreadPoolExecutor(1) as other:
        calls = other.submit(use)
        assert host.reached.wait(WAIT)
        with pytest.raises(ThreadError):
            # On wasmer finding it may take no look into the guest's store.
            guests[0].func("same") if engine == "wasmtime" else guests[0].call("same", 1)
        host.go_on.set()
        assert calls.result(WAIT) == 2


def test_what_a_guest_calls_may_look_for_its_functions(load: Any) -> None:
    def host(n: int) -> int:
        found.append(guest.func("same"))
        return n

    found: list[Any] = []
    with load(CALLER).instantiate({"host": host}) as guest:
        assert guest.call("call", 3) == 3
        assert found[0](4) == 4


def test_a_poisoned_guest_has_no_functions_any_more(load: Any) -> None:
    def host(n: int) -> int:
        raise ZeroDivisionError

    with load(CALLER).instantiate({"host": host}) as guest:
        with pytest.raises(ZeroDivisionError):
            guest.call("call", 3)
        with pytest.raises(PoisonedError):
            guest.call("same", 3)


@pytest.mark.usefixtures("many_switches")
def test_threads_look_for_functions_while_one_closes_the_guest(load: Any, engine: str) -> None:
    if engine == "wasmer":
        pytest.skip("wasmer's guests are used by their own thread only")
    names = [f"f{k}" for k in range(40)]
    exports = " ".join(f'(func (export "{name}"))' for name in names)
    component = load(f"(module {exports})")
    for _ in range(20):
        guest = component.instantiate()
        outcome = at_once(lambda: [guest.func(name)() for name in names], guest.close)  # noqa: B023
        assert all(o is None or isinstance(o, (list, ThreadError, ConflictError, UnavailableError)) for o in outcome)
        guest.close()


def test_a_guest_that_is_to_end_is_not_closed_before_it_has(load: Any) -> None:
    """Its call is still on the stack; what frees it would be pulled from under that."""

    def host(n: int) -> int:
        guest._frame.interrupt(CanceledError("nobody waits for it"))
        with pytest.raises(ConflictError):
            guest.close()
        return n

    guest = load(CALLER).instantiate({"host": host})
    with suppress(CanceledError):  # on wasmtime nothing looks whether it is to end, where it has no limits
        assert guest.call("call", 3) == 3
    assert not guest.usable
    with pytest.raises(PoisonedError, match="nobody waits for it"):
        guest.call("same", 3)
    guest.close()


@pytest.mark.usefixtures("many_switches")
def test_two_threads_close_a_resource(load: Any, engine: str) -> None:
    if engine == "wasmer":
        pytest.skip("wasmer's guests are used by their own thread only")
    with load(COUNTERS).instantiate() as guest:
        counters = guest.exports["counters"]
        for k in range(200):
            one = counters.make(k)
            outcome = at_once(one.close, one.close, lambda: guest.call("live"))
            assert outcome[:2] == [None, None]
            assert isinstance(outcome[2], (int, ThreadError))
        assert guest.call("live") == 0
    assert guest.closed


def test_a_thread_is_not_taken_for_one_that_has_ended(load: Any, engine: str) -> None:
    """The system gives threads the identifiers of those that have ended."""
    if engine == "wasmtime":
        pytest.skip("guests move between threads on wasmtime")
    made: list[Any] = []
    maker = threading.Thread(target=lambda: made.append((load(CALLER).instantiate({"host": abs}), here.number)))
    maker.start()
    maker.join()
    guest, number = made[0]

    def use() -> None:
        assert here.number != number
        with pytest.raises(ThreadError):
            guest.call("same", 1)
        with pytest.raises(ThreadError):
            guest.close()
        refused.append(threading.get_ident())

    refused: list[int] = []
    for _ in range(100):
        thread = threading.Thread(target=use)
        thread.start()
        thread.join()
        if refused[-1] == maker.ident:
            break
    if maker.ident not in refused:
        pytest.skip("the system gave no thread the identifier of the one that has ended")


@pytest.mark.parametrize("source", [CALLER, NESTED], ids=["plain", "nested"])
@pytest.mark.parametrize("limits", [None, Limits(max_execution_ms=20)], ids=["cancelled", "timed out"])
def test_a_guest_whose_task_was_ended_is_collected(load: Any, source: str, limits: Limits | None) -> None:
    async def host(n: int) -> int:
        await asyncio.sleep(WAIT)
        return n

    async def use() -> None:
        guest = await load(source).link({"host": host}).instantiate_async(limits=limits)
        frames.append(weakref.ref(guest._frame))
        with pytest.raises((asyncio.TimeoutError, TimedOutError)):
            await asyncio.wait_for(guest.call_async("call", 1), 0.02 if limits is None else WAIT)

    async def wait_for_threads() -> None:
        for _ in range(500):
            gc.collect()
            if frames[0]() is None:
                return
            await asyncio.sleep(0.01)

    frames: list[Any] = []
    asyncio.run(use())
    asyncio.run(wait_for_threads())
    assert frames[0]() is None
