"""Guests that are linked to each other and share a resource of the host: one passes its objects on to the other.

Spec: SPEC section 14; `CanonicalABI.md`, `lift_own`, `lift_borrow`, `lower_own`, `lower_borrow`.
"""

from __future__ import annotations

import asyncio
import gc
import threading
from typing import Any

import pytest

from tests.instance.sharing_guests import KEEPER, Host, Thing, keeper, user
from wippywasm.abi.state import HostObjects
from wippywasm.errors import ThreadError, Trap


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def guests(load: Any, host: Host) -> Any:
    """The keeper, and a user of it and of the same host."""
    with (
        load(keeper()).instantiate({"host": host.imports}) as one,
        load(user()).instantiate({"host": {**host.imports}, "keeper": one}) as other,
    ):
        yield one, other


def test_what_one_returns_is_the_others(guests: Any, host: Host) -> None:
    _, guest = guests
    assert [guest.call("move", n) for n in range(3)] == [0, 1, 2]
    assert host.closed == [1, 1, 1]


def test_what_is_given_away_comes_back_and_is_closed_once(guests: Any, host: Host) -> None:
    keeping, guest = guests
    guest.call("put", 7)
    assert host.closed == [0]
    assert keeping.call("back") is host.made[0]
    keeping.call("keep", host.made[0])
    assert guest.call("fetch", 0) == 7
    assert host.closed == [1]


def test_what_is_lent_stays_its_owners(guests: Any, host: Host) -> None:
    _, guest = guests
    for n in range(20):
        assert guest.call("lend", n) == 2 * n
    assert host.closed == [1] * 20


def test_in_records_and_lists_there_and_back(guests: Any, host: Host) -> None:
    _, guest = guests
    assert guest.call("pass-on", 10) == 45
    assert host.closed == [1] * 10


@pytest.mark.parametrize("encoding", ["utf8", "utf16"])
def test_beside_texts_of_either_encoding(load: Any, host: Host, encoding: str) -> None:
    with load(keeper()).instantiate({"host": host.imports}) as keeping:
        # Two units are "hi" or "h\0": of two bytes after transcoding as well.
        guest = load(user(encoding)).instantiate({"host": host.imports, "keeper": keeping})
        assert guest.call("tell", 5) == 5
        assert host.closed == [1]
        assert guest.call("lend", 4) == 8
        guest.close()
    assert host.closed == [1, 1]


@pytest.mark.parametrize("has_task", [False, True], ids=["plain", "task"])
def test_where_tasks_call_and_the_host_waits(load: Any, host: Host, has_task: bool) -> None:
    """On wasmer, each guest that a task has called has a thread of its own."""

    async def make(n: int) -> Thing:
        await asyncio.sleep(0)
        return host.cls(n)

    async def see(thing: Thing) -> int:
        await asyncio.sleep(0)
        return thing.n

    async def main() -> list[int]:
        imports = {"host": {**host.imports, "make": make, "see": see}}
        keeping = load(keeper()).instantiate(imports)
        if has_task:
            (await keeping.call_async("give", 1)).close()
        guest = load(user()).instantiate({**imports, "keeper": keeping})
        results = [await guest.call_async(name, 6) for name in ("move", "lend", "put", "fetch", "pass-on", "tell")]
        await guest.call_async("hold", 1)
        await guest.call_async("put", 2)
        guest.close()
        keeping.close()
        return results

    assert asyncio.run(main()) == [6, 12, 0, 6, 15, 6]
    assert host.closed == [1] * len(host.made)


def test_each_guest_has_handles_of_its_own(guests: Any, host: Host) -> None:
    keeping, guest = guests
    keeping.call("keep", host.cls(1))
    with pytest.raises(Trap, match="unknown handle index 1"):
        guest.call("stray", 1)
    assert host.closed == [0]


def test_what_is_lent_is_not_given_away_by_the_same_call(guests: Any, host: Host) -> None:
    _, guest = guests
    with pytest.raises(Trap, match="cannot remove owned resource while borrowed"):
        guest.call("lend-and-give", 1)
    guest.close()
    assert host.closed == [1]


def test_what_is_lent_is_given_back(guests: Any, host: Host) -> None:
    keeping, guest = guests
    with pytest.raises(Trap, match="borrow handles still remain"):
        guest.call("lend-for-ever", 1)
    keeping.close()
    assert host.closed == [0], "the owner has it still"
    guest.close()
    assert host.closed == [1]


def test_whoever_is_closed_takes_nothing_from_the_other(guests: Any, host: Host) -> None:
    keeping, guest = guests
    guest.call("hold", 3)
    keeping.call("keep", host.cls(4))
    keeping.close()
    assert host.closed == [0, 1]
    assert guest.call("held", 0) == 3
    guest.close()
    assert host.closed == [1, 1]


def test_what_was_given_away_outlives_who_gave_it(guests: Any, host: Host) -> None:
    keeping, guest = guests
    guest.call("put", 3)
    guest.close()
    assert host.closed == [0]
    assert keeping.call("back").n == 3
    assert host.closed == [0]


def test_one_that_is_collected_takes_nothing_from_the_other(load: Any, host: Host) -> None:
    keeping = load(keeper()).instantiate({"host": host.imports})
    linked = load(user()).link({"host": host.imports, "keeper": keeping})
    guest = linked.instantiate()
    guest.call("put", 3)
    del guest
    gc.collect()
    assert keeping.call("back").n == 3
    keeping.close()
    assert host.closed == [0], "Python has it"


def test_what_a_trap_stops_on_the_way_is_closed_once(guests: Any, host: Host) -> None:
    keeping, guest = guests
    with pytest.raises(Trap, match="unreachable"):
        guest.call("give-for-a-trap", 1)
    guest.close()
    keeping.close()
    assert host.closed == [1]


@pytest.mark.parametrize("first", [0, 1])
def test_what_finds_no_place_is_closed_once(load: Any, host: Host, monkeypatch: pytest.MonkeyPatch, first: int) -> None:
    keeping = load(keeper()).instantiate({"host": host.imports})
    guest = load(user()).instantiate({"host": host.imports, "keeper": keeping})
    guest.call("hold", 1)
    monkeypatch.setattr(HostObjects, "MAX_LENGTH", 1)
    with pytest.raises(Trap, match="resource table has no free keys"):
        guest.call("move", 2)
    both = [keeping, guest]
    both[first].close()
    both[1 - first].close()
    assert host.closed == [1, 1]


def test_one_link_serves_many(load: Any, host: Host) -> None:
    with load(keeper()).instantiate({"host": host.imports}) as keeping:
        linked = load(user()).link({"host": host.imports, "keeper": keeping})
        with linked.instantiate() as one, linked.instantiate() as other:
            one.call("hold", 1)
            other.call("hold", 2)
            one.call("put", 3)
            assert other.call("fetch", 0) == 3
            one.close()
            assert host.closed == [1, 0, 1]
            assert other.call("release", 0) == 2
        assert host.closed == [1, 1, 1]


def test_in_another_thread(guests: Any, host: Host, engine: str) -> None:
    _, guest = guests
    raised: list[BaseException] = []
    results: list[int] = []

    def work() -> None:
        try:
            results.append(guest.call("move", 1))
        except ThreadError as error:
            raised.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert (results, len(raised)) == (([1], 0) if engine == "wasmtime" else ([], 1))
    assert guest.call("move", 2) == 2
    assert host.closed == [1] * len(host.made)


PASSED_ON = """(component
  (import "keeper" (instance $keeper
    (export "thing" (type $r (sub resource)))
    (export "give" (func (param "n" u32) (result (own $r))))
    (export "look" (func (param "thing" (borrow $r)) (result u32)))))
  (alias export $keeper "thing" (type $r))
  (core func $give (canon lower (func $keeper "give")))
  (core func $look (canon lower (func $keeper "look")))
  (core module $m
    (import "" "give" (func $give (param i32) (result i32)))
    (import "" "look" (func $look (param i32) (result i32)))
    (func (export "f") (param i32) (result i32) (call $look (call $give (local.get 0)))))
  (core instance $i (instantiate $m
    (with "" (instance (export "give" (func $give)) (export "look" (func $look))))))
  (func (export "f") (param "n" u32) (result u32) (canon lift (core func $i "f"))))"""


def test_one_that_knows_it_from_the_other_only_has_its_own_as_well(load: Any, host: Host) -> None:
    keeping = load(keeper()).instantiate({"host": host.imports})
    with load(PASSED_ON).instantiate({"keeper": keeping}) as guest:
        assert guest.call("f", 9) == 9
        keeping.close()
        assert host.closed == [0]
    assert host.closed == [1]


def passing() -> str:
    """A guest that exports the keeper's functions as they are."""
    names = ("give", "look", "fail")
    funcs = {n: KEEPER[n].replace("$r)", "$thing)") for n in names}
    return f"""(component
      (import "host" (instance $host (export "thing" (type $r (sub resource)))))
      (alias export $host "thing" (type $r))
      (import "keeper" (instance $keeper
        (alias outer 1 $r (type $outer)) (export "thing" (type $thing (eq $outer)))
        {"".join(f'(export "{n}" (func {t}))' for n, t in funcs.items())}))
      (export $thing "thing" (type $r))
      {"".join(f'(export "{n}" (func $keeper "{n}") (func {t}))' for n, t in funcs.items())})"""


def test_a_third_that_passes_on_functions_as_they_are(load: Any, host: Host) -> None:
    keeping = load(keeper()).instantiate({"host": host.imports})
    with load(passing()).instantiate({"host": host.imports, "keeper": keeping}) as between:
        thing = between.call("give", 3)
        assert (thing, host.closed) == (host.made[0], [0])
        assert isinstance(thing, between.exports.Thing)
        assert between.call("look", thing) == 3
        with load(PASSED_ON).instantiate({"keeper": between}) as guest:
            assert guest.call("f", 5) == 5
        assert host.closed == [0, 1]
        with pytest.raises(Trap, match="unreachable"):
            between.call("fail", thing)
    keeping.close()
    assert host.closed == [1, 1]


TWO_OF_ONE_CLASS = """(component
  (import "a" (type $a (sub resource)))
  (import "b" (type $b (sub resource)))
  (import "make" (func $make (result (own $a))))
  (core func $make (canon lower (func $make)))
  (core func $drop (canon resource.drop $b))
  (core module $m
    (import "" "make" (func $make (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (func (export "f") (call $drop (call $make))))
  (core instance $i (instantiate $m
    (with "" (instance (export "make" (func $make)) (export "drop" (func $drop))))))
  (func (export "f") (canon lift (core func $i "f"))))"""


def test_a_guest_can_not_take_one_import_for_another(load: Any, host: Host) -> None:
    """Though one class is given for both: what it may do with the one may be less."""
    with (
        load(TWO_OF_ONE_CLASS).instantiate({"a": host.cls, "b": host.cls, "make": lambda: host.cls(1)}) as guest,
        pytest.raises(Trap, match="expected host-defined resource but found a different host-defined resource"),
    ):
        guest.call("f")
    assert host.closed == [1]
