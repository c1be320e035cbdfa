"""Calls that fail: what was lent for them is given back, what was given away belongs to the guest that is ending."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from typing import Any

import pytest

from tests.instance.test_instance_destructors import OWNER as NAMED_OWNER
from wippywasm import Limits
from wippywasm.abi.state import HostObjects, Table
from wippywasm.errors import PoisonedError, TimedOutError, Trap

OWNER = NAMED_OWNER.replace("$owner", "", 1)
USER = """
(component
  (import "thing" (type $thing (sub resource)))
  (import "make" (func $make (param "n" u32) (result (own $thing))))
  (import "get" (func $get (result (tuple (own $thing) string))))
  (import "put" (func $put (param "x" (own $thing)) (param "s" string)))
  (import "pause" (func $pause))
  (core module $memory
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) unreachable))
  (core instance $memory (instantiate $memory))
  (core func $make (canon lower (func $make)))
  (core func $get (canon lower (func $get)
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (core func $put (canon lower (func $put) (memory (core memory $memory "memory"))))
  (core func $pause (canon lower (func $pause)))
  (core module $m
    (import "" "make" (func $make (param i32) (result i32)))
    (import "" "get" (func $get (param i32)))
    (import "" "put" (func $put (param i32 i32 i32)))
    (import "" "pause" (func $pause))
    (import "memory" "memory" (memory 1))
    (func (export "trap") (param i32) unreachable)
    (func (export "wait") (param i32) (call $pause))
    (func (export "take") (param i32 i32 i32))
    (func (export "get") (call $get (i32.const 8)))
    (func (export "put") (call $put (call $make (i32.const 5)) (i32.const 70000) (i32.const 4)))
    (func (export "give") (param $length i32) (result i32)
      (i32.store (i32.const 16) (call $make (i32.const 5)))
      (i32.store (i32.const 20) (i32.const 32))
      (i32.store (i32.const 24) (local.get $length))
      (i32.const 16))
    (func (export "post-trap") (param i32) unreachable)
    (func (export "post") (param i32)))
  (core instance $i (instantiate $m (with "memory" (instance $memory)) (with "" (instance
    (export "make" (func $make)) (export "get" (func $get)) (export "put" (func $put))
    (export "pause" (func $pause))))))
  (func (export "trap") (param "x" (borrow $thing)) (canon lift (core func $i "trap")))
  (func (export "wait") (param "x" (borrow $thing)) (canon lift (core func $i "wait")))
  (func (export "pick") (param "x" (borrow $thing)) (param "numbers" (list bool))
    (canon lift (core func $i "take") (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (func (export "take") (param "x" (own $thing)) (param "s" string)
    (canon lift (core func $i "take") (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (func (export "get") (canon lift (core func $i "get")))
  (func (export "put") (canon lift (core func $i "put")))
  (func (export "give") (param "length" u32) (result (tuple (own $thing) string))
    (canon lift (core func $i "give") (memory (core memory $memory "memory")) (post-return (core func $i "post"))))
  (func (export "give-and-trap") (param "length" u32) (result (tuple (own $thing) string))
    (canon lift (core func $i "give")
      (memory (core memory $memory "memory")) (post-return (core func $i "post-trap")))))
"""


def pair(encoding: str) -> str:
    """Two components: `put` has the one give the other a thing, `get` has it get one. No `realloc` returns."""
    return f"""
(component
  (import "thing" (type $thing (sub resource)))
  (import "make" (func $make (param "n" u32) (result (own $thing))))
  (component $inner
    (import "thing" (type $thing (sub resource)))
    (import "make" (func $make (param "n" u32) (result (own $thing))))
    (core func $make (canon lower (func $make)))
    (core module $m
      (import "" "make" (func $make (param i32) (result i32)))
      (memory (export "memory") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) unreachable)
      (func (export "take") (param i32 i32 i32))
      (func (export "give") (result i32)
        (i32.store (i32.const 16) (call $make (i32.const 5)))
        (i32.store (i32.const 20) (i32.const 32))
        (i32.store (i32.const 24) (i32.const 4))
        (i32.const 16)))
    (core instance $i (instantiate $m (with "" (instance (export "make" (func $make))))))
    (func (export "take") (param "x" (own $thing)) (param "s" string)
      (canon lift (core func $i "take") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
    (func (export "give") (result (tuple (own $thing) string))
      (canon lift (core func $i "give") (memory (core memory $i "memory")))))
  (instance $inner (instantiate $inner (with "thing" (type $thing)) (with "make" (func $make))))
  (component $outer
    (import "thing" (type $thing (sub resource)))
    (import "make" (func $make (param "n" u32) (result (own $thing))))
    (import "take" (func $take (param "x" (own $thing)) (param "s" string)))
    (import "give" (func $give (result (tuple (own $thing) string))))
    (core module $memory
      (memory (export "memory") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) unreachable))
    (core instance $memory (instantiate $memory))
    (core func $make (canon lower (func $make)))
    (core func $take (canon lower (func $take) (memory (core memory $memory "memory")) string-encoding={encoding}))
    (core func $give (canon lower (func $give)
      (memory (core memory $memory "memory")) (realloc (core func $memory "realloc")) string-encoding={encoding}))
    (core module $m
      (import "" "make" (func $make (param i32) (result i32)))
      (import "" "take" (func $take (param i32 i32 i32)))
      (import "" "give" (func $give (param i32)))
      (func (export "put") (call $take (call $make (i32.const 5)) (i32.const 32) (i32.const 4)))
      (func (export "bad") (call $take (call $make (i32.const 5)) (i32.const 70000) (i32.const 4)))
      (func (export "get") (call $give (i32.const 8))))
    (core instance $i (instantiate $m (with "" (instance
      (export "make" (func $make)) (export "take" (func $take)) (export "give" (func $give))))))
    (func (export "put") (canon lift (core func $i "put")))
    (func (export "bad") (canon lift (core func $i "bad")))
    (func (export "get") (canon lift (core func $i "get"))))
  (instance $outer (instantiate $outer (with "thing" (type $thing)) (with "make" (func $make))
    (with "take" (func $inner "take")) (with "give" (func $inner "give"))))
  (export "put" (func $outer "put"))
  (export "bad" (func $outer "bad"))
  (export "get" (func $outer "get")))
"""


MANY = """
(component
  (import "thing" (type $thing (sub resource)))
  (import "get" (func $get (result (list (tuple (own $thing) string)))))
  (core module $memory
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) {realloc}))
  (core instance $memory (instantiate $memory))
  (core func $get (canon lower (func $get)
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (core module $m
    (import "" "get" (func $get (param i32)))
    (func (export "get") (call $get (i32.const 8))))
  (core instance $i (instantiate $m (with "" (instance (export "get" (func $get))))))
  (func (export "get") (canon lift (core func $i "get"))))
"""
"""A guest that gets a list of things and strings from the host, for which it has no memory."""


class Things:
    """Where things come from: another guest, or Python. `gone` has those that were destroyed."""

    def __init__(self, load: Any, has_guest: bool) -> None:
        self.gone: list[int] = []
        self.owner: Any = None
        self.thing: Any = self._class()
        self.make: Callable[[int], Any] = self.thing
        if has_guest:
            self.owner = load(OWNER).instantiate({"gone": self.gone.append, "pause": print})
            self.thing, self.make = self.owner.exports.Thing, self.owner.func("make")
        self._load = load

    def _class(self) -> Any:
        gone = self.gone

        class Thing:
            def __init__(self, n: int) -> None:
                self.n = n

            def close(self) -> None:
                gone.append(self.n)

        return Thing

    def user(self, source: str = USER, **functions: Any) -> Any:
        """A guest that uses them."""
        return self.linked(source, **functions).instantiate()

    def linked(self, source: str = USER, **functions: Any) -> Any:
        others = {"get": print, "put": print, "pause": print} if "$pause" in source else {}
        return self._load(source).link({"thing": self.thing, "make": self.make, **others, **functions})


@pytest.fixture(params=[True, False], ids=["guest's", "host's"])
def things(load: Any, request: pytest.FixtureRequest) -> Iterator[Things]:
    made = Things(load, request.param)
    yield made
    if made.owner is not None:
        made.owner.close()


@pytest.fixture
def lent(load: Any) -> Iterator[Things]:
    made = Things(load, has_guest=True)
    yield made
    made.owner.close()


class Unreadable(Sequence[bool]):
    """A list in which Ctrl-C is pressed."""

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: Any) -> Any:
        raise KeyboardInterrupt


def run(guest: Any, is_task: bool, *call: Any) -> None:
    if is_task:
        asyncio.run(guest.call_async(*call))
    else:
        guest.call(*call)


tasks = pytest.mark.parametrize("is_task", [False, True], ids=["plain", "task"])


@tasks
@pytest.mark.parametrize("name", ["trap", "wait"])
def test_what_was_lent_is_the_lenders_again(lent: Things, name: str, is_task: bool) -> None:
    def pause() -> None:
        raise ZeroDivisionError

    user, other = lent.user(pause=pause), lent.user()
    x = lent.make(5)
    with pytest.raises((Trap, ZeroDivisionError)):
        run(user, is_task, name, x)
    with pytest.raises(PoisonedError):
        user.call(name, x)
    with pytest.raises(Trap, match="unreachable"):
        other.call("trap", x)
    x.close()
    assert lent.gone == [5]
    user.close()
    other.close()
    assert lent.gone == [5]


def test_what_was_lent_for_a_call_that_is_canceled(lent: Things) -> None:
    async def use() -> None:
        async def pause() -> None:
            reached.set()
            await asyncio.Event().wait()

        reached = asyncio.Event()
        user, x = lent.user(pause=pause), lent.make(5)
        calling = asyncio.ensure_future(user.call_async("wait", x))
        await reached.wait()
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
        x.close()
        assert lent.gone == [5]
        user.close()

    asyncio.run(use())
    assert lent.gone == [5]


def test_what_was_lent_is_destroyed_when_nobody_holds_it(lent: Things) -> None:
    user, x = lent.user(), lent.make(5)
    with pytest.raises(Trap, match="unreachable"):
        user.call("trap", x)
    del x
    gc.collect()
    assert lent.gone == [5]


def test_what_was_lent_before_the_guest_was_called(lent: Things) -> None:
    with lent.user() as user, pytest.raises(KeyboardInterrupt):
        user.call("pick", x := lent.make(5), Unreadable())
    x.close()
    assert lent.gone == [5]


def test_an_object_that_was_lent_is_not_closed_with_the_guest(load: Any) -> None:
    things = Things(load, has_guest=False)
    with things.user() as user, pytest.raises(Trap, match="unreachable"):
        user.call("trap", things.make(5))
    assert things.gone == []


@tasks
def test_an_argument_that_the_guest_has_no_memory_for(things: Things, is_task: bool) -> None:
    user, x = things.user(), things.make(5)
    with pytest.raises(Trap, match="unreachable") as raised:
        run(user, is_task, "take", x, "text")
    assert things.gone == []
    user.close()
    assert things.gone == [5]
    del x, raised
    gc.collect()
    user.close()
    assert things.gone == [5]


TAKER = """
(component
  (import "thing" (type $thing (sub resource)))
  (core module $m (func (export "take") (param i32)))
  (core instance $i (instantiate $m))
  (func (export "take") (param "x" (own $thing)) (canon lift (core func $i "take"))))
"""


def test_an_argument_that_the_guest_has_no_handle_for(things: Things, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is destroyed once, though it is in one table already where it is the host's."""
    user, x = things.linked(TAKER).instantiate(), things.make(5)
    with monkeypatch.context() as patched:
        patched.setattr(Table, "MAX_LENGTH", 0)
        with pytest.raises(Trap, match="resource table has no free keys"):
            user.call("take", x)
    user.close()
    assert things.gone == [5]


@pytest.mark.parametrize("table", [Table, HostObjects])
def test_ctrl_c_when_the_guest_has_just_got_its_handle(
    things: Things, monkeypatch: pytest.MonkeyPatch, table: type[Table]
) -> None:
    """Or its object: that is in a table of its own, where it is the host's."""
    user, x = things.linked(TAKER).instantiate(), things.make(5)
    add = Table.add

    def interrupted(self: Table, element: Any) -> int:
        index = add(self, element)
        if type(self) is table:
            raise KeyboardInterrupt
        return index

    is_added = table is Table or things.owner is None
    with monkeypatch.context() as patched:
        patched.setattr(Table, "add", interrupted)
        with pytest.raises(KeyboardInterrupt) if is_added else nullcontext():
            user.call("take", x)
    user.close()
    assert things.gone == [5]


class CtrlC:
    """Pressed when a function of that name is called for the n-th time, after `arm`."""

    def __init__(self, name: str, n: int) -> None:
        self._name = name
        self._left = n

    def arm(self) -> None:
        sys.settrace(self._trace)

    def _trace(self, frame: Any, event: str, _: Any) -> None:
        self._left -= event == "call" and frame.f_code.co_name == self._name
        if self._left == 0:
            sys.settrace(None)
            raise KeyboardInterrupt

    def ends(self, user: Any, *call: Any) -> None:
        before = sys.gettrace()
        try:
            with pytest.raises(KeyboardInterrupt):
                user.call(*call)
        finally:
            sys.settrace(before)


@pytest.mark.parametrize("name", ["is_awaitable", "finish", "take_own"])
def test_ctrl_c_when_a_host_function_has_just_returned(things: Things, name: str) -> None:
    def make(n: int) -> Any:
        x = things.make(n)
        press.arm()
        return x

    press, user = CtrlC(name, 1), things.user(make=make)
    press.ends(user, "put")
    gc.collect()
    assert things.gone == []
    user.close()
    assert things.gone == [5]


@pytest.mark.parametrize("n", [1, 2, 3])
def test_ctrl_c_while_what_a_host_function_returned_is_taken(things: Things, n: int) -> None:
    def get() -> Any:
        press.arm()
        return given

    given = [(things.make(k), "text") for k in range(3)]
    press = CtrlC("take_own", n)
    user = things._load(MANY.format(realloc="unreachable")).link({"thing": things.thing, "get": get}).instantiate()
    press.ends(user, "get")
    given.clear()
    gc.collect()
    assert things.gone == []
    user.close()
    assert things.gone == [0, 1, 2]


@tasks
def test_a_result_that_the_guest_has_no_memory_for(things: Things, is_task: bool) -> None:
    user = things.user(get=lambda: (things.make(5), "text"))
    with pytest.raises(Trap, match="unreachable") as raised:
        run(user, is_task, "get")
    assert things.gone == []
    user.close()
    assert things.gone == [5]
    del raised
    gc.collect()
    assert things.gone == [5]


def test_a_result_that_is_awaited_and_that_the_guest_has_no_memory_for(things: Things) -> None:
    async def get() -> Any:
        await asyncio.sleep(0)
        return x, "text"

    x = things.make(5)
    user = asyncio.run(things.linked(get=get).instantiate_async())
    with pytest.raises(Trap, match="unreachable") as raised:
        run(user, True, "get")
    assert things.gone == []
    user.close()
    assert things.gone == [5]
    del raised
    gc.collect()
    assert things.gone == [5]


@pytest.mark.parametrize("waits", [True, False])
@pytest.mark.parametrize("realloc", ["unreachable", "(i32.const -1)", "(loop $l (br $l)) (i32.const 0)"])
@pytest.mark.parametrize("count", [1, 5])
def test_many_allocations_for_a_result_that_is_awaited(things: Things, realloc: str, count: int, waits: bool) -> None:
    """They are made where the guest goes on, in one go."""

    async def get() -> Any:
        if waits:
            await asyncio.sleep(0)
        return [(x, "text") for x in given]

    given = [things.make(5) for _ in range(count)]
    source = MANY.format(realloc=realloc)
    linked = things._load(source).link({"thing": things.thing, "get": get})
    user = asyncio.run(linked.instantiate_async(limits=Limits(max_execution_ms=100)))
    with pytest.raises((Trap, TimedOutError)):
        run(user, True, "get")
    assert things.gone == []
    user.close()
    assert things.gone == [5] * count


def test_what_is_on_its_way_to_a_guest_that_is_collected(load: Any) -> None:
    things = Things(load, has_guest=True)
    user = things.user()
    with pytest.raises(Trap, match="unreachable"):
        user.call("take", things.make(5), "text")
    del user
    gc.collect()
    assert things.gone == []
    things.owner.call("wait")
    assert things.gone == [5]
    things.owner.close()
    assert things.gone == [5]


@pytest.mark.parametrize("call", [("put",), ("give", 70_000), ("give-and-trap", 4)], ids=lambda call: call[0])
@tasks
def test_what_a_guest_gives_away_beside_something_wrong(things: Things, call: Any, is_task: bool) -> None:
    user = things.user()
    with pytest.raises(Trap) as raised:
        run(user, is_task, *call)
    assert things.gone == []
    user.close()
    assert things.gone == [5]
    del raised
    gc.collect()
    assert things.gone == [5]


def test_what_the_host_has_got_is_the_hosts_when_it_fails(things: Things) -> None:
    def put(x: Any, s: str) -> None:
        held.append(x)
        raise ZeroDivisionError

    held: list[Any] = []
    user = things.user(USER.replace("(i32.const 70000)", "(i32.const 32)"), put=put)
    with pytest.raises(ZeroDivisionError):
        user.call("put")
    user.close()
    assert things.gone == []
    held.pop().close()
    assert things.gone == [5]


@pytest.mark.parametrize("encoding", ["utf8", "utf16"])
@pytest.mark.parametrize("name", ["put", "bad", "get"])
@tasks
def test_what_is_between_two_components(things: Things, name: str, encoding: str, is_task: bool) -> None:
    guest = things.user(pair(encoding))
    with pytest.raises(Trap) as raised:
        run(guest, is_task, name)
    assert things.gone == []
    guest.close()
    assert things.gone == [5]
    del raised
    gc.collect()
    assert things.gone == [5]
