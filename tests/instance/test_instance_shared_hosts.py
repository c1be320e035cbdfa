"""Guests that are linked to each other and share a resource of the host: one passes its objects on to the other.

Spec: SPEC section 14; `CanonicalABI.md`, `lift_own`, `lift_borrow`, `lower_own`, `lower_borrow`.
"""

from __future__ import annotations

import asyncio
import gc
import threading
from typing import Any

import pytest

from wippywasm.abi.state import HostObjects
from wippywasm.errors import LinkError, ThreadError, Trap
from wippywasm.wasi import Wasi

KEEPER = {
    "give": '(param "n" u32) (result (own $r))',
    "keep": '(param "thing" (own $r))',
    "back": "(result (own $r))",
    "look": '(param "thing" (borrow $r)) (result u32)',
    "forget": '(param "thing" (borrow $r))',
    "both": '(param "lent" (borrow $r)) (param "given" (own $r))',
    "fail": '(param "thing" (own $r))',
    "pairs": '(param "n" u32) (result (list (tuple (own $r) u32)))',
    "sum": '(param "pairs" (list (tuple (own $r) u32))) (result u32)',
    "tell": '(param "text" string) (param "thing" (own $r)) (result (own $r))',
}
HOST = """
  (import "host" (instance $host
    (export "thing" (type $r (sub resource)))
    (export "make" (func (param "n" u32) (result (own $r))))
    (export "see" (func (param "thing" (borrow $r)) (result u32)))))
  (alias export $host "thing" (type $r))
  (core func $make (canon lower (func $host "make")))
  (core func $see (canon lower (func $host "see")))
  (core func $drop (canon resource.drop $r))
  (core module $own
    (memory (export "memory") 1)
    (global $free (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.get $free)
      (global.set $free (i32.and (i32.add (global.get $free) (i32.add (local.get 3) (i32.const 7))) (i32.const -8)))))
  (core instance $own (instantiate $own))
  (alias core export $own "memory" (core memory $memory))
  (alias core export $own "realloc" (core func $realloc))
"""
MEMORY = "(memory $memory) (realloc $realloc)"
OWN = """
    (import "own" "memory" (memory 1))
    (import "host" "make" (func $make (param i32) (result i32)))
    (import "host" "see" (func $see (param i32) (result i32)))
    (import "host" "drop" (func $drop (param i32)))
"""
SEEN = "(func $seen (param i32) (result i32) (call $see (local.get 0)) (call $drop (local.get 0)))"
GIVEN = """(with "own" (instance $own))
    (with "host" (instance (export "make" (func $make)) (export "see" (func $see)) (export "drop" (func $drop))))"""


def keeper() -> str:
    """A guest that has things of the host made, keeps them, and gives them back."""
    lifts = "".join(
        f'(func (export "{name}") {type} (canon lift (core func $i "{name}") {MEMORY}))'.replace("$r)", "$thing)")
        for name, type in KEEPER.items()
    )
    return f"""(component {HOST}
      (core module $m {OWN} {SEEN}
        (global $kept (mut i32) (i32.const 0))
        (func (export "give") (param i32) (result i32) (call $make (local.get 0)))
        (func (export "keep") (param i32) (global.set $kept (local.get 0)))
        (func (export "back") (result i32) (global.get $kept))
        (func (export "look") (param i32) (result i32) (call $seen (local.get 0)))
        (func (export "forget") (param i32))
        (func (export "both") (param i32 i32))
        (func (export "fail") (param i32) (unreachable))
        (func (export "pairs") (param i32) (result i32)
          (local $i i32)
          (loop $next
            (i32.store (i32.add (i32.const 512) (i32.mul (local.get $i) (i32.const 8))) (call $make (local.get $i)))
            (i32.store (i32.add (i32.const 516) (i32.mul (local.get $i) (i32.const 8))) (local.get $i))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $next (i32.lt_u (local.get $i) (local.get 0))))
          (i32.store (i32.const 16) (i32.const 512)) (i32.store (i32.const 20) (local.get 0)) (i32.const 16))
        (func (export "sum") (param i32 i32) (result i32)
          (local $sum i32)
          (loop $next
            (local.set $sum (i32.add (local.get $sum) (call $seen (i32.load (local.get 0)))))
            (local.set 0 (i32.add (local.get 0) (i32.const 8)))
            (local.set 1 (i32.sub (local.get 1) (i32.const 1)))
            (br_if $next (local.get 1)))
          (local.get $sum))
        (func (export "tell") (param i32 i32 i32) (result i32)
          (if (i32.ne (local.get 1) (i32.const 2)) (then (unreachable))) (local.get 2)))
      (core instance $i (instantiate $m {GIVEN}))
      (export $thing "thing" (type $r))
      {lifts})"""


def user(encoding: str = "utf8") -> str:
    """A guest that has things of its own and some of the keeper's; each export does one thing with them."""
    names = [*KEEPER]
    exports = "".join(f'(export "{name}" (func {type}))'.replace("$r)", "$thing)") for name, type in KEEPER.items())
    lowers = "".join(
        f'(core func ${n} (canon lower (func $keeper "{n}") {MEMORY} string-encoding={encoding}))' for n in names
    )
    given = "".join(f'(export "{n}" (func ${n}))' for n in names)
    core = {"pairs": "(param i32 i32)", "sum": "(param i32 i32) (result i32)", "both": "(param i32 i32)"}
    core |= dict.fromkeys(["keep", "fail", "forget"], "(param i32)") | {"back": "(result i32)"}
    core["tell"] = "(param i32 i32 i32) (result i32)"
    imports = "".join(f'(import "keeper" "{n}" (func ${n} {core.get(n, "(param i32) (result i32)")}))' for n in names)
    bodies = {
        "move": "(call $seen (call $give (local.get 0)))",
        "hold": "(global.set $held (call $give (local.get 0))) (global.get $held)",
        "held": "(call $see (global.get $held))",
        "release": "(call $seen (global.get $held))",
        "put": "(call $keep (call $make (local.get 0))) (i32.const 0)",
        "fetch": "(call $seen (call $back))",
        "lend": "(local.set 1 (call $make (local.get 0))) "
        "(i32.add (call $look (local.get 1)) (call $seen (local.get 1)))",
        "lend-for-ever": "(call $forget (call $make (local.get 0))) (i32.const 0)",
        "lend-and-give": "(local.set 1 (call $make (local.get 0))) "
        "(call $both (local.get 1) (local.get 1)) (i32.const 0)",
        "give-for-a-trap": "(call $fail (call $make (local.get 0))) (i32.const 0)",
        "pass-on": "(call $pairs (local.get 0) (i32.const 8)) "
        "(call $sum (i32.load (i32.const 8)) (i32.load (i32.const 12)))",
        "tell": "(call $seen (call $tell (i32.const 64) (i32.const 2) (call $make (local.get 0))))",
        "stray": "(call $keep (local.get 0)) (i32.const 0)",
    }
    functions = "".join(f'(func (export "{n}") (param i32) (result i32) (local i32) {b})' for n, b in bodies.items())
    lifts = "".join(
        f'(func (export "{n}") (param "n" u32) (result u32) (canon lift (core func $i "{n}")))' for n in bodies
    )
    return f"""(component {HOST}
      (import "keeper" (instance $keeper
        (alias outer 1 $r (type $outer)) (export "thing" (type $thing (eq $outer))) {exports}))
      {lowers}
      (core module $m {OWN} {imports} {SEEN} (global $held (mut i32) (i32.const 0))
        (data (i32.const 64) "h\\00i\\00") {functions})
      (core instance $i (instantiate $m {GIVEN} (with "keeper" (instance {given}))))
      {lifts})"""


class Thing:
    """What the host has, and how often each of them was closed."""

    made: list[Thing]

    def __init__(self, n: int) -> None:
        self.n = n
        self.closed = 0
        self.made.append(self)

    def close(self) -> None:
        self.closed += 1


class Host:
    """A host with things of a class of its own, and what became of them."""

    def __init__(self) -> None:
        self.made: list[Any] = []
        self.cls: type[Thing] = type("Thing", (Thing,), {"made": self.made})
        self.imports: dict[str, Any] = {"thing": self.cls, "make": self.cls, "see": lambda thing: thing.n}

    @property
    def closed(self) -> list[int]:
        return [thing.closed for thing in self.made]


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


# ---- which are the same


def link(load: Any, one: Any, other: Any) -> int:
    """What a user of the one host gets of the keeper of the other."""
    with load(keeper()).instantiate({"host": one}) as keeping:
        result: int = load(user()).instantiate({"host": other, "keeper": keeping}).call("lend", 4)
        return result


class Server:
    """A host that has a factory for its things, of which each look makes another."""

    def thing(self, n: int) -> Thing:
        raise AssertionError

    make = staticmethod(lambda n: Host().cls(n))
    see = staticmethod(lambda thing: thing.n)


def functions(**more: Any) -> dict[str, Any]:
    return {"make": Server.make, "see": Server.see, **more}


def test_a_factory_of_one_host_and_a_host_without_a_class_are_the_same_as_themselves(load: Any) -> None:
    server, bare = Server(), functions()
    assert link(load, server, server) == 8
    assert link(load, bare, bare) == 8


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Host().imports, Host().imports),
        (functions(), functions()),
        (functions(thing=None), functions(thing=None)),
        (functions(thing=object), functions(thing=object)),
        (functions(thing=Any), functions(thing=Any)),
        (Server(), Server()),
        (functions(thing=Thing), functions()),
    ],
    ids=["classes", "none", "None", "object", "Any", "factories", "one class"],
)
def test_others_are_refused_with_what_to_do(load: Any, one: Any, other: Any) -> None:
    with pytest.raises(LinkError, match=r"has another resource of that name.*both guests are given one class for it"):
        link(load, one, other)


def test_what_is_denied_is_like_no_other(load: Any, host: Host) -> None:
    denied = load(keeper()).instantiate(undeclared="deny")
    with pytest.raises(LinkError, match="has another resource of that name"):
        load(user()).link({"keeper": denied}, undeclared="deny")
    with pytest.raises(LinkError, match="has another resource of that name"):
        load(user()).link({"keeper": denied, "host": host.imports})


def test_what_python_does_with_a_guests_function_takes_any(load: Any, host: Host) -> None:
    """As the hint says."""
    keeping = load(keeper()).instantiate({"host": host.imports})

    def function(name: str) -> Any:
        return lambda *args: keeping.call(name, *args)

    with load(user()).instantiate({"host": host.imports, "keeper": {n: function(n) for n in KEEPER}}) as guest:
        assert guest.call("lend", 2) == 4
    with pytest.raises(LinkError, match=r"needs func.*and the guest's function is.*with another resource of that name"):
        load(user()).link({"host": Host().imports, "keeper": {n: keeping.func(n) for n in KEEPER}})


TWO_NAMES = """(component
  (import "a" (instance $a (export "thing" (type $r (sub resource)))))
  (alias export $a "thing" (type $r))
  (import "b" (instance (alias outer 1 $r (type $outer)) (export "thing" (type (eq $outer))))))"""


def test_a_further_name_of_a_class_may_be_what_a_guest_has_of_it(load: Any, host: Host) -> None:
    keeping = load(keeper()).instantiate({"host": host.imports})
    for given in (host.imports, {"thing": keeping.exports.Thing}, keeping):
        load(TWO_NAMES).link({"a": host.imports, "b": given})
        load(TWO_NAMES).link({"a": {"thing": keeping.exports.Thing}, "b": given})
    with pytest.raises(LinkError, match="is the resource of import 'a#thing', for which another class is given"):
        load(TWO_NAMES).link({"a": Host().imports, "b": {"thing": keeping.exports.Thing}})


# ---- those of WASI

STREAMS = """
  (import "wasi:io/streams@VERSION" (instance $streams
    (export "input-stream" (type $in (sub resource))) (export "output-stream" (type $out (sub resource)))))
"""
FILES = f"""(component {STREAMS}
  (alias export $streams "input-stream" (type $r))
  (import "wasi:cli/stdin@0.2.0" (instance $stdin
    (alias outer 1 $r (type $x)) (export "input-stream" (type $y (eq $x)))
    (export "get-stdin" (func (result (own $y))))))
  (core func $get (canon lower (func $stdin "get-stdin")))
  (core module $m (import "" "get" (func $get (result i32))) (func (export "open") (result i32) (call $get)))
  (core instance $i (instantiate $m (with "" (instance (export "get" (func $get))))))
  (func $open (result (own $r)) (canon lift (core func $i "open")))
  (instance $files (export "input-stream" (type $r))
    (export "open" (func $open)) (export "pass" (func $stdin "get-stdin")))
  (export "a:b/files" (instance $files)))"""
READER = f"""(component {STREAMS}
  (alias export $streams "KIND" (type $r))
  (import "a:b/files" (instance $files
    (alias outer 1 $r (type $x)) (export "input-stream" (type $y (eq $x)))
    (export "open" (func (result (own $y)))) (export "pass" (func (result (own $y))))))
  (core func $open (canon lower (func $files "open")))
  (core func $pass (canon lower (func $files "pass")))
  (core func $drop (canon resource.drop $r))
  (core module $m
    (import "" "open" (func $open (result i32)))
    (import "" "pass" (func $pass (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (func (export "f") (result i32) (call $drop (call $open)) (call $pass)))
  (core instance $i (instantiate $m (with "" (instance
    (export "open" (func $open)) (export "pass" (func $pass)) (export "drop" (func $drop))))))
  (func (export "f") (result (own $r)) (canon lift (core func $i "f"))))"""


def reader(version: str = "0.2.0", kind: str = "input-stream") -> str:
    return READER.replace("VERSION", version).replace("KIND", kind)


@pytest.fixture
def files(load: Any) -> Any:
    with load(FILES.replace("VERSION", "0.2.0")).instantiate(wasi=Wasi(stdin=b"hello")) as guest:
        yield guest.exports["a:b/files"]


@pytest.mark.parametrize("version", ["0.2.0", "0.2.3"])
def test_a_stream_of_wasi_is_one_wherever_it_is_granted(load: Any, files: Any, version: str) -> None:
    with load(reader(version)).instantiate({"a:b/files": files}, wasi=Wasi()) as guest:
        assert guest.call("f").read(9) == b"hello"


def test_one_that_crosses_to_an_interface_that_is_not_granted(load: Any, files: Any) -> None:
    given = {**Wasi().imports(["wasi:cli"]), "a:b/files": files}
    with load(reader()).instantiate(given, undeclared="deny") as guest:
        assert guest.call("f").read(9) == b"hello"


@pytest.mark.parametrize(
    ("source", "imports"),
    [
        (reader(kind="output-stream"), Wasi().imports()),
        (reader("0.3.0"), Wasi().imports()),
        (reader(), {}),
        (reader(), {"wasi:io/streams": {"input-stream": Thing}, **Wasi().imports(["wasi:cli"])}),
    ],
    ids=["another", "another version", "nothing of WASI", "one of the user's"],
)
def test_what_is_none_of_wasis(load: Any, files: Any, source: str, imports: Any) -> None:
    with pytest.raises(LinkError, match=r"has .*resource.* of that name.*or granted its interface"):
        load(source).link({**imports, "a:b/files": files}, undeclared="deny")
