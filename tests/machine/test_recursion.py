"""Host functions that make another guest and call it, which calls the host again, until Python's stack is full."""

from __future__ import annotations

import gc
import sys
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from wippywasm.errors import Trap

CALLER = '(module (import "host" "next" (func $f)) (func (export "go") (call $f)))'
WIT = "package a:b; world w { import host: interface { next: func(); } export go: func(); }"


@pytest.fixture(autouse=True)
def little_room() -> Iterator[None]:
    """Fewer calls than usual are allowed, so that each test needs some tens of guests.

    No garbage is collected meanwhile: a finalizer that finds the stack full is reported, and frees nothing.
    """
    before = sys.getrecursionlimit()
    gc.collect()
    gc.disable()
    sys.setrecursionlimit(len(traceback.extract_stack()) + 350)
    yield
    sys.setrecursionlimit(before)
    gc.enable()


class Host:
    def __init__(self, load: Any) -> None:
        self.linked = load(CALLER, wit=WIT).link({"host": self})
        self.calls = 0

    def next(self) -> Any:
        raise NotImplementedError


class Plain(Host):
    def next(self) -> None:
        self.calls += 1
        with self.linked.instantiate() as guest:
            guest.call("go")


class InTasks(Host):
    async def next(self) -> None:
        self.calls += 1
        with await self.linked.instantiate_async() as guest:
            await guest.call_async("go")


class Endless(Host):
    def next(self) -> None:
        self.next()


class EndlessInTasks(Host):
    async def next(self) -> None:
        await self.next()


def check(error: Trap, host: Host) -> None:
    assert error.code == "call stack exhausted"
    assert isinstance(error.__cause__, RecursionError)
    assert host.calls > 10


def test_calls(load: Any) -> None:
    host = Plain(load)
    for _ in range(2):
        with pytest.raises(Trap) as caught, host.linked.instantiate() as guest:
            guest.call("go")
        check(caught.value, host)


@pytest.mark.parametrize("kind", [Plain, InTasks])
async def test_calls_by_tasks(load: Any, kind: type[Host]) -> None:
    host = kind(load)
    for _ in range(2):
        with await host.linked.instantiate_async() as guest, pytest.raises(Trap) as caught:
            await guest.call_async("go")
        check(caught.value, host)


@pytest.mark.parametrize("kind", [Endless, EndlessInTasks])
async def test_the_hosts_own_recursion_error_is_its_own(load: Any, kind: type[Host]) -> None:
    with await kind(load).linked.instantiate_async() as guest, pytest.raises(RecursionError):
        await guest.call_async("go")


@pytest.mark.parametrize("limit", range(200, 212))
async def test_whatever_python_was_doing_when_its_stack_was_full(load: Any, limit: int) -> None:
    host = InTasks(load)
    with await host.linked.instantiate_async() as guest:
        sys.setrecursionlimit(len(traceback.extract_stack()) + limit)
        with pytest.raises(Trap) as caught:
            await guest.call_async("go")
    check(caught.value, host)
