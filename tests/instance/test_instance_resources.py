"""Resources: Python classes that guests import, and guests' own as Python objects."""

from __future__ import annotations

import asyncio
import gc
from typing import Any, Protocol, runtime_checkable

import pytest

from wippywasm import Guest
from wippywasm.abi import Resource
from wippywasm.errors import InvalidError, LinkError, ThreadError, Trap, ValueMismatchError

# Exports a resource whose representation is twice its number, and counts what lives.
COUNTERS = """
(component $Counters
  (core module $count
    (global $live (mut i32) (i32.const 0))
    (func (export "dtor") (param i32) (global.set $live (i32.sub (global.get $live) (i32.const 1))))
    (func (export "born") (global.set $live (i32.add (global.get $live) (i32.const 1))))
    (func (export "live") (result i32) (global.get $live)))
  (core instance $count (instantiate $count))
  (type $counter' (resource (rep i32) (dtor (core func $count "dtor"))))
  (core func $new (canon resource.new $counter'))
  (core module $m
    (import "" "new" (func $new (param i32) (result i32)))
    (import "" "born" (func $born))
    (func (export "make") (param i32) (result i32)
      (call $born) (call $new (i32.mul (local.get 0) (i32.const 2))))
    (func (export "get") (param i32) (result i32) (i32.div_u (local.get 0) (i32.const 2)))
    (func (export "sum") (param i32 i32) (result i32)
      (i32.div_u (i32.add (local.get 0) (local.get 1)) (i32.const 2)))
    (func (export "eat") (param i32)))
  (core instance $i (instantiate $m (with "" (instance
    (export "new" (func $new)) (export "born" (func $count "born"))))))
  (component $Interface
    (import "counter" (type $counter (sub resource)))
    (import "make" (func $make (param "n" u32) (result (own $counter))))
    (import "get" (func $get (param "self" (borrow $counter)) (result u32)))
    (import "sum" (func $sum (param "a" (borrow $counter)) (param "b" (borrow $counter)) (result u32)))
    (export $e "counter" (type $counter))
    (export "[constructor]counter" (func $make) (func (param "n" u32) (result (own $e))))
    (export "[method]counter.get-it" (func $get) (func (param "self" (borrow $e)) (result u32)))
    (export "[static]counter.sum" (func $sum) (func (param "a" (borrow $e)) (param "b" (borrow $e)) (result u32)))
    (export "make" (func $make) (func (param "n" u32) (result (own $e)))))
  (func $make (param "n" u32) (result (own $counter')) (canon lift (core func $i "make")))
  (func $get (param "self" (borrow $counter')) (result u32) (canon lift (core func $i "get")))
  (func $sum (param "a" (borrow $counter')) (param "b" (borrow $counter')) (result u32)
    (canon lift (core func $i "sum")))
  (instance $interface (instantiate $Interface
    (with "counter" (type $counter')) (with "make" (func $make)) (with "get" (func $get)) (with "sum" (func $sum))))
  (export "a:b/counters@1.0.0" (instance $interface))
  (func (export "live") (result u32) (canon lift (core func $count "live"))))
"""


@pytest.fixture
def counters(load: Any) -> Any:
    with load(COUNTERS).instantiate() as guest:
        yield guest


def test_a_guests_resource_is_an_object_with_methods(counters: Guest) -> None:
    interface = counters.exports["counters"]
    with interface.Counter(21) as one:
        assert isinstance(one, Resource)
        assert one.get_it() == 21
        assert interface.Counter.get_it(one) == 21
        assert interface.counter.sum(one, one) == 42
        assert counters.call("counters#[method]counter.get-it", one) == 21
        assert counters.call("live") == 1
    assert counters.call("live") == 0


@pytest.mark.parametrize("name", ["close", "closed"])
def test_a_method_with_the_name_of_what_every_resource_has_makes_way(load: Any, name: str) -> None:
    with load(COUNTERS.replace("get-it", name)).instantiate() as guest:
        one = guest.exports["counters"].Counter(21)
        assert getattr(one, f"{name}_")() == 21
        assert f"{name}_" in dir(one)
        assert not one.closed
        one.close()
        assert one.closed
        assert guest.call("live") == 0


def test_an_exported_resource_is_a_class_to_isinstance(load: Any, counters: Guest) -> None:
    cls = counters.exports["counters"].Counter
    with load(COUNTERS).instantiate() as other, cls(1) as one, other.exports["counters"].Counter(1) as foreign:
        assert isinstance(one, cls)
        assert isinstance(one, counters.exports["counters"].counter)
        assert not isinstance(foreign, cls)
        assert not isinstance(1, cls)
        assert isinstance(one, (int, cls))
    assert isinstance(one, cls)


@pytest.mark.parametrize("is_known", [True, False], ids=["asked for before", "asked for after"])
@pytest.mark.parametrize("has_thread", [False, True], ids=["plain", "task"])
def test_it_is_a_class_once_its_guest_is_closed_too(load: Any, is_known: bool, has_thread: bool) -> None:
    """What is to be done with an object may have to be found out when its guest is gone."""
    linked = load(COUNTERS).link()
    guest = asyncio.run(linked.instantiate_async()) if has_thread else linked.instantiate()
    with linked.instantiate() as other:
        made = guest.exports["counters"].make
        one, foreign = made(1), other.exports["counters"].make(1)
        cls = guest.exports["counters"].Counter if is_known else None
        guest.close()
        cls = cls or guest.exports["counters"].Counter
        assert isinstance(one, cls)
        assert not isinstance(foreign, cls)
        assert not isinstance(1, cls)


def test_what_a_namespace_lists(counters: Guest) -> None:
    assert dir(counters.exports) == ["live"]
    assert sorted(counters.exports) == ["a:b/counters@1.0.0", "live"]
    assert dir(counters.exports["counters"]) == ["Counter", "make"]
    assert counters.exports["counters"] is counters.exports["counters"]
    with pytest.raises(AttributeError, match="resource 'counter' has no function called 'gett_it'"):
        counters.exports["counters"].Counter.gett_it  # noqa: B018


def test_a_resource_that_nobody_holds_is_dropped(counters: Guest) -> None:
    made = [counters.exports["counters"].make(i) for i in range(5)]
    assert counters.call("live") == 5
    del made
    gc.collect()
    assert counters.call("live") == 0


def test_a_closed_resource_is_refused(counters: Guest) -> None:
    one = counters.exports["counters"].make(1)
    one.close()
    with pytest.raises(ValueMismatchError, match="closed"):
        one.get_it()
    assert counters.call("live") == 0


def test_resources_of_two_instances_are_of_distinct_types(load: Any) -> None:
    linked = load(COUNTERS).link()
    with linked.instantiate() as one, linked.instantiate() as two:
        mine = one.exports["counters"].make(1)
        with pytest.raises(ValueMismatchError, match="another type or instance"):
            two.call("counters#[method]counter.get-it", mine)
        assert mine.get_it() == 1
        assert two.call("live") == 0


def test_closing_a_guest_leaves_no_trouble_for_its_resources(load: Any) -> None:
    guest = load(COUNTERS).instantiate()
    left = guest.exports["counters"].make(1)
    guest.close()
    del left
    gc.collect()


# Imports the interface above, and uses it from inside.
CLIENT = """
(component
  (import "a:b/counters@1.0.0" (instance $counters
    (export "counter" (type $counter (sub resource)))
    (export "[constructor]counter" (func (param "n" u32) (result (own $counter))))
    (export "[method]counter.get-it" (func (param "self" (borrow $counter)) (result u32)))
    (export "[static]counter.sum" (func (param "a" (borrow $counter)) (param "b" (borrow $counter)) (result u32)))))
  (alias export $counters "counter" (type $counter))
  (core func $new (canon lower (func $counters "[constructor]counter")))
  (core func $get (canon lower (func $counters "[method]counter.get-it")))
  (core func $sum (canon lower (func $counters "[static]counter.sum")))
  (core func $drop (canon resource.drop $counter))
  (core module $m
    (import "c" "new" (func $new (param i32) (result i32)))
    (import "c" "get" (func $get (param i32) (result i32)))
    (import "c" "sum" (func $sum (param i32 i32) (result i32)))
    (import "c" "drop" (func $drop (param i32)))
    (func (export "round-trip") (param $n i32) (result i32) (local $h i32)
      (local.set $h (call $new (local.get $n)))
      (local.set $n (i32.add (call $get (local.get $h)) (call $sum (local.get $h) (local.get $h))))
      (call $drop (local.get $h))
      (local.get $n))
    (func (export "keep") (param $n i32) (drop (call $new (local.get $n))))
    (func (export "make") (param $n i32) (result i32) (call $new (local.get $n)))
    (func (export "take") (param $h i32) (result i32) (local $n i32)
      (local.set $n (call $get (local.get $h))) (call $drop (local.get $h)) (local.get $n))
    (func (export "use-after-drop") (param $h i32) (call $drop (local.get $h)) (drop (call $get (local.get $h)))))
  (core instance $i (instantiate $m (with "c" (instance
    (export "new" (func $new)) (export "get" (func $get)) (export "sum" (func $sum)) (export "drop" (func $drop))))))
  (func (export "round-trip") (param "n" u32) (result u32) (canon lift (core func $i "round-trip")))
  (func (export "keep") (param "n" u32) (canon lift (core func $i "keep")))
  (func (export "make") (param "n" u32) (result (own $counter)) (canon lift (core func $i "make")))
  (func (export "take") (param "h" (own $counter)) (result u32) (canon lift (core func $i "take")))
  (func (export "use-after-drop") (param "h" (own $counter)) (canon lift (core func $i "use-after-drop"))))
"""


class Counter:
    closed: list[int] = []

    def __init__(self, n: int) -> None:
        self.n = n

    def get_it(self) -> int:
        return self.n

    @staticmethod
    def sum(a: Counter, b: Counter) -> int:
        return a.n + b.n

    def close(self) -> None:
        self.closed.append(self.n)


class Doubled(Counter):
    def get_it(self) -> int:
        return self.n * 2


@pytest.fixture
def hosted(load: Any) -> Any:
    Counter.closed.clear()
    with load(CLIENT).instantiate({"a:b/counters": {"Counter": Counter}}) as guest:
        yield guest


def test_a_python_class_is_a_resource(hosted: Guest) -> None:
    assert hosted.call("round-trip", 5) == 15
    assert Counter.closed == [5]


def test_python_objects_cross_as_themselves(hosted: Guest) -> None:
    mine = Counter(9)
    assert hosted.call("take", mine) == 9
    assert Counter.closed == [9]
    made = hosted.call("make", 3)
    assert isinstance(made, Counter)
    assert made.n == 3
    assert Counter.closed == [9]


def test_subclasses_override_methods(hosted: Guest) -> None:
    assert hosted.call("take", Doubled(9)) == 18


def test_a_guest_that_uses_a_dropped_handle_traps(hosted: Guest) -> None:
    with pytest.raises(Trap, match="unknown handle index"):
        hosted.call("use-after-drop", Counter(1))


def test_closing_a_guest_closes_the_objects_it_kept(load: Any) -> None:
    Counter.closed.clear()
    with load(CLIENT).instantiate({"a:b/counters": {"Counter": Counter}}) as guest:
        guest.call("keep", 1)
        guest.call("keep", 2)
        assert Counter.closed == []
    assert Counter.closed == [1, 2]


class Waiting(Counter):
    async def close(self) -> None:  # type: ignore[override]
        raise AssertionError


def test_a_class_whose_objects_would_wait_to_be_closed_is_refused(load: Any) -> None:
    with pytest.raises(LinkError, match=r"`close` of the class given for import 'a:b/counters.*counter' is async"):
        load(CLIENT).link({"a:b/counters": {"Counter": Waiting}})


def test_an_object_that_would_wait_to_be_closed_is_told_to_the_guest(load: Any) -> None:
    host = {"Counter": lambda n: Waiting(n), "[static]counter.sum": Counter.sum}
    with (
        load(CLIENT).instantiate({"a:b/counters": host}) as guest,
        pytest.raises(InvalidError, match="`close` of Waiting is async, and a destructor can't wait"),
    ):
        guest.call("round-trip", 5)


def test_what_else_an_object_can_do_is_no_destructor(load: Any) -> None:
    class Frame(Counter):
        close = None  # type: ignore[assignment]

        def drop(self, labels: list[str]) -> None:
            raise AssertionError

    with load(CLIENT).instantiate({"a:b/counters": {"Counter": Frame}}) as guest:
        assert guest.call("round-trip", 5) == 15


def test_an_object_is_closed_for_each_time_that_it_was_given_away(load: Any) -> None:
    Counter.closed.clear()
    one = Counter(7)
    host = {"Counter": lambda n: one, "[static]counter.sum": Counter.sum}
    with load(CLIENT).instantiate({"a:b/counters": host}) as guest:
        guest.call("keep", 1)
        guest.call("keep", 2)
        assert guest.call("take", one) == 7
        assert Counter.closed == [7]
    assert Counter.closed == [7, 7, 7]


RENAMED = """
(component
  (import "x" (instance $x
    (export "r" (type $r (sub resource))) (export "make" (func (result (own $r))))))
  (alias export $x "r" (type $r))
  (import "y" (instance $y (export "r" (type $q (eq $r))) (export "use" (func (param "x" (borrow $q))))))
  (import "s" (type $s (eq $r)))
  (export "y" (instance $y)))
"""


@pytest.mark.parametrize(
    ("x", "y", "s", "message"),
    [
        ({"r": Counter}, {}, {}, None),
        ({"r": Counter}, {"r": Counter}, {"s": Counter}, None),
        ({"Counter": Counter}, {"r": 5}, {}, None),
        ({}, {"r": lambda: None}, {}, None),
        (
            {"r": Counter},
            {"r": Doubled},
            {},
            "import 'y#r' is the resource of import 'x#r', for which another class is given",
        ),
        ({"r": Counter}, {"R": Doubled}, {}, "import 'y#r' is the resource of import 'x#r'"),
        ({}, {"r": Counter}, {}, "import 'y#r' is the resource of import 'x#r', for which no class is given"),
        (
            {"r": Counter},
            {},
            {"s": Doubled},
            "import 's' is the resource of import 'x#r', for which another class is given",
        ),
    ],
)
def test_the_class_of_a_resource_that_has_several_names(load: Any, x: Any, y: Any, s: Any, message: str | None) -> None:
    component = load(RENAMED)
    imports = {"x": {"make": lambda: Counter(1), **x}, "y": {"use": print, **y}, **s}
    if message is None:
        with component.instantiate(imports) as guest:
            assert isinstance(Counter(1), guest.exports["y"].R)
            assert isinstance(1, guest.exports["y"].R) is ("r" not in x)
        return
    with pytest.raises(LinkError, match=message) as refused:
        component.link(imports)
    assert refused.value.hint == "give the class for 'x#r' only"


def test_a_guests_resource_under_several_names(load: Any) -> None:
    exports = """(component
      (type $r' (resource (rep i32))) (export $r "r" (type $r'))
      (core module $m (func (export "f") (result i32) unreachable)) (core instance $i (instantiate $m))
      (func (export "make") (result (own $r)) (canon lift (core func $i "f"))))"""
    component = load(RENAMED)
    with load(exports).instantiate() as one, load(exports).instantiate() as other:
        component.instantiate({"x": one, "y": {"use": print, "r": one.exports.R}}).close()
        with pytest.raises(
            LinkError, match="import 'y#r' is the resource of import 'x#r', for which another class is given"
        ):
            component.link({"x": one, "y": {"use": print, "r": other.exports.R}})


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ({}, r"'a:b/counters@1.0.0#\[method\]counter.get-it' must be callable|has no 'get_it'"),
        ({"get_it": lambda self, n: n, "sum": staticmethod(lambda a, b: 0)}, "is called with 1 argument"),
        ({"get_it": 5, "sum": staticmethod(lambda a, b: 0)}, "must be callable, got an int"),
        ({"get_it": lambda self: 0}, "has no 'sum'"),
    ],
)
def test_a_class_is_checked_when_it_is_linked(load: Any, methods: dict[str, Any], message: str) -> None:
    cls = type("Counter", (), {"__init__": lambda self, n: None, **methods})
    with pytest.raises(LinkError, match=message):
        load(CLIENT).instantiate({"a:b/counters": {"Counter": cls}})


def test_one_guest_serves_another(load: Any) -> None:
    with load(COUNTERS).instantiate() as server:
        interface = server.exports["a:b/counters"]
        with load(CLIENT).instantiate({"a:b/counters@1.0.0": interface}) as client:
            assert client.call("round-trip", 5) == 15
            assert server.call("live") == 0
            with client.call("make", 4) as made:
                assert made.get_it() == 4
                assert server.call("live") == 1
            assert client.call("take", interface.make(6)) == 6
            assert server.call("live") == 0


def test_a_guest_that_lacks_a_function_can_not_serve(load: Any) -> None:
    with load(COUNTERS).instantiate() as server, pytest.raises(LinkError, match="counter"):
        load(CLIENT).instantiate({"a:b/counters@1.0.0": server.exports})


def test_another_guests_function_must_have_the_very_type(load: Any) -> None:
    client = '(component (import "live" (func (param "x" u32) (result u32))))'
    with (
        load(COUNTERS).instantiate() as server,
        pytest.raises(LinkError, match=r"needs func\(x: u32\) -> u32, and .* is func\(\) -> u32"),
    ):
        load(f'(component (import "i" (instance (export "live" (func (param "x" u32) (result u32))))) {client})').link(
            {"i": server.exports}
        )


def test_resources_between_threads(load: Any) -> None:
    import threading

    guest = load(COUNTERS).instantiate()
    one = guest.exports["counters"].make(1)
    outcome: list[Any] = []

    def use() -> None:
        try:
            outcome.append(one.get_it())
        except ThreadError as error:
            outcome.append(type(error))

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert outcome == [ThreadError if guest.component.engine.thread_bound else 1]


HOLDER = """
(module
  (import "a:b/host" "open" (func $open (param i32)))
  (import "a:b/host" "[resource-drop]blob" (func $drop (param i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64))
  (func (export "look") (param i32 i32))
  (func (export "ask") (call $open (i32.const 8))))
"""
HOLDER_WIT = """
  package a:b;
  interface host { resource blob { read: func() -> u32; } open: func() -> option<blob>; }
  world w { import host; use host.{blob}; export look: func(blobs: list<blob>); export ask: func(); }
"""


class Blob:
    def read(self) -> int:
        return 1


class BigBlob(Blob):
    pass


class _Reads(Protocol):
    def read(self) -> int: ...


@runtime_checkable
class _CanRead(Protocol):
    def read(self) -> int: ...


@pytest.mark.parametrize(
    ("given", "fits"),
    [
        (Blob, [Blob(), BigBlob()]),
        (BigBlob, [BigBlob()]),
        (_Reads, [Blob(), 5]),
        (lambda: Blob(), [Blob(), 5]),
        (_CanRead, [Blob()]),
    ],
)
def test_objects_for_a_resource_of_the_host_are_of_its_class(load: Any, given: Any, fits: list[Any]) -> None:
    opened: list[Any] = []
    host = {"blob": given, "open": opened.pop, "[method]blob.read": Blob.read}
    linked = load(HOLDER, wit=HOLDER_WIT).link({"a:b/host": host})
    with linked.instantiate() as guest:
        guest.call("look", fits)
        for value in fits:
            opened.append(value)
            guest.call("ask")
    if 5 in fits:
        return
    with linked.instantiate() as guest:
        with pytest.raises(ValueMismatchError, match=r"^blobs\[1\]: expected own<blob>, got 5") as refused:
            guest.call("look", [fits[0], 5])
        assert given.__name__ in str(refused.value.hint)
        guest.call("look", fits)  # nothing ran
        opened.append("text")
        with pytest.raises(ValueMismatchError, match=r"result of .*open.*: expected own<blob>, got 'text'"):
            guest.call("ask")
