"""Values that change while they are lowered, or lie about their size: what is written is what was allocated for."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from wippywasm.errors import ValueMismatchError

WIT = """
package a:b;
interface types { record r { n: u32, s: string } }
interface host { use types.{r}; get: func() -> list<r>; }
world w {
  use types.{r};
  import host;
  export records: func(x: list<r>) -> list<r>;
  export strings: func(x: list<string>) -> list<string>;
  export lists: func(x: list<list<s32>>) -> list<list<s32>>;
  export numbers: func(x: list<s32>) -> list<s32>;
  export pairs: func(x: list<tuple<u32, bool>>) -> list<tuple<u32, bool>>;
  export bytes: func(x: list<u8>) -> list<u8>;
  export table: func(x: map<string, u32>) -> map<string, u32>;
  export get: func() -> list<r>;
}
"""
NAMES = ("records", "strings", "lists", "numbers", "pairs", "bytes", "table")
ECHO = """
  (func (export "NAME") (param i32 i32) (result i32)
    (i32.store (i32.const 8) (local.get 0))
    (i32.store (i32.const 12) (local.get 1))
    (i32.const 8))
"""
GUEST = f"""
(module
  (import "a:b/host" "get" (func $get (param i32)))
  (memory (export "memory") 1)
  (global $top (mut i32) (i32.const 1024))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local $p i32)
    (global.set $top (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
    (local.set $p (global.get $top))
    (global.set $top (i32.add (local.get $p) (local.get 3)))
    (drop (memory.grow (i32.sub
      (i32.add (i32.shr_u (global.get $top) (i32.const 16)) (i32.const 1)) (memory.size))))
    (local.get $p))
  (func (export "get") (result i32) (call $get (i32.const 8)) (i32.const 8))
  {"".join(ECHO.replace("NAME", name) for name in NAMES)})
"""


class Record:
    """A record that does something when it is read."""

    def __init__(self, act: Callable[[], object]) -> None:
        self._act = act

    @property
    def n(self) -> int:
        self._act()
        return 7

    s = "abc"


READ = {"n": 7, "s": "abc"}


@pytest.fixture
def make(load: Any) -> Callable[..., Any]:
    component = load(GUEST, wit=WIT)
    return lambda get=list: component.instantiate({"a:b/host": {"get": get}})


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_list_that_grows_by_its_elements(make: Any, count: int) -> None:
    """There would be no end of it, if all that come were taken."""
    given: list[Any] = []
    given += [Record(lambda: given.append(Record(given.clear))) for _ in range(count)]
    with make() as guest:
        assert guest.call("records", given) == [READ] * count
        assert guest.usable
    given[:] = [Record(lambda: given.append(given[0])) for _ in range(count)]
    with make(lambda: given) as guest:
        assert guest.call("get") == [READ] * count
        assert guest.usable


def test_a_list_that_shrinks_by_its_elements(make: Any) -> None:
    given: list[Any] = []
    given += [Record(given.clear) for _ in range(3)]
    with make() as guest:
        assert guest.call("records", given) == [READ] * 3


@pytest.mark.parametrize(
    ("name", "item"), [("records", READ), ("strings", "abc"), ("lists", [1, 2]), ("numbers", 7), ("pairs", (7, True))]
)
def test_a_list_that_another_thread_changes(make: Any, name: str, item: Any) -> None:
    given, done = [item] * 200, False

    def change() -> None:
        while not done:
            for _ in range(50):
                given.append(item)
            del given[200:]

    thread = threading.Thread(target=change)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        thread.start()
        end = time.monotonic() + 0.3
        while time.monotonic() < end:
            with make() as guest:
                found = guest.call(name, given)
                assert len(found) >= 200
                assert found == [item] * len(found)
    finally:
        done = True
        thread.join()
        sys.setswitchinterval(interval)


class Lying(Sequence[Any]):
    """A sequence that has other elements than it says."""

    def __init__(self, size: int, items: list[Any]) -> None:
        self._size = size
        self._items = items

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, index: Any) -> Any:
        return self._items[index]


class LyingList(list[Any]):
    def __len__(self) -> int:
        return 1


class Disguised(Lying):
    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return list


ITEMS: dict[str, Any] = {
    "records": READ,
    "strings": "abc",
    "lists": [1, 2],
    "numbers": 7,
    "pairs": (7, True),
    "bytes": 7,
}


@pytest.mark.parametrize("name", ITEMS)
def test_sequences_are_what_they_iterate_over(make: Any, name: str) -> None:
    items = [ITEMS[name]] * 3
    expected = bytes(items) if name == "bytes" else items
    for size in (-1, 0, 1, 3, 10**9, 2**40, 2**70):
        with make() as guest:
            assert guest.call(name, Lying(size, items)) == expected
            assert guest.call(name, Disguised(size, items)) == expected
    with make() as guest:
        assert guest.call(name, LyingList(items)) == expected


class LyingBytes(bytearray):
    """Bytes of another size than they say, under another name."""

    says: Iterator[int] = iter(())

    def __len__(self) -> int:
        return next(self.says, 3)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return bytes


def test_bytes_are_as_many_as_there_are(make: Any) -> None:
    given = LyingBytes(b"abc" * 1000)
    with make() as guest:
        assert guest.call("bytes", given) == b"abc" * 1000


def test_what_python_refuses_to_read_does_not_fit(make: Any) -> None:
    view = memoryview(bytearray(8))
    view.release()
    with make() as guest:
        for name in ("bytes", "numbers"):
            with pytest.raises(ValueMismatchError, match="released"):
                guest.call(name, view)
        assert guest.usable


def test_mappings_that_change_while_they_are_read(make: Any) -> None:
    class Changing(dict[str, int]):
        def items(self) -> Any:
            for pair in super().items():
                yield pair
                self[f"{pair[0]}x"] = 1

    class Fields(dict[str, Any]):
        def __contains__(self, key: object) -> bool:
            return True

    with make() as guest:
        with pytest.raises(ValueMismatchError, match="changed while it was read"):
            guest.call("table", Changing(a=1))
        with pytest.raises(ValueMismatchError, match="is missing"):
            guest.call("records", [Fields(n=1)])
        assert guest.call("table", {"a": 1}) == {"a": 1}


def test_errors_of_ones_own_come_out_as_they_are(make: Any) -> None:
    def fail() -> None:
        raise error

    error = RuntimeError("mine")
    with make() as guest:
        with pytest.raises(RuntimeError) as caught:
            guest.call("records", [Record(fail)])
        assert caught.value is error
        assert guest.usable
