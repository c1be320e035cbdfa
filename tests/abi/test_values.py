"""Which Python values are taken, and what is said about those that are not."""

from __future__ import annotations

import enum
import struct
from array import array
from collections import OrderedDict, UserDict, UserList
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.abi.abi_fakes import FakeFunc, FakeGuest
from wippywasm.abi import Binding, Options, lift, lower
from wippywasm.abi.signature import show_type
from wippywasm.errors import InvalidError, ValueMismatchError
from wippywasm.model import (
    BOOL,
    CHAR,
    F32,
    F64,
    S8,
    S32,
    STRING,
    U8,
    U32,
    U64,
    Case,
    EnumType,
    Field,
    FlagsType,
    FuncType,
    FutureType,
    ListType,
    MapType,
    OptionType,
    Param,
    Prim,
    RecordType,
    ResultType,
    StreamType,
    TupleType,
    ValType,
    VariantType,
)
from wippywasm.values import Err, Ok, Some, Variant

USER = RecordType(
    (Field("user-id", U32), Field("name", STRING), Field("tags", ListType(STRING)), Field("active", BOOL))
)
SHAPE = VariantType((Case("empty"), Case("circle", F64)))
COLOUR = EnumType(("red", "dark-green"))
RIGHTS = FlagsType(("read", "write"))


def echo(t: ValType) -> Callable[[Any], Any]:
    """A function of the guest that returns its argument."""
    guest = FakeGuest()
    got: list[Any] = []
    ft = FuncType((Param("x", t),))
    _, receive = lower(ft, lambda x: got.append(x), Options(), guest.binding())
    send = lift(ft, FakeFunc(receive), Options(), guest.binding())

    def call(value: Any) -> Any:
        send(value)
        return got.pop()

    return call


@dataclass
class User:
    user_id: int
    name: str
    tags: list[str]
    active: bool


class Level(enum.IntEnum):
    HIGH = 3


class Shade(str, enum.Enum):
    RED = "red"


ALICE = {"user-id": 1, "name": "Alice", "tags": ["admin"], "active": True}


@pytest.mark.parametrize(
    ("t", "given", "expected"),
    [
        (USER, User(1, "Alice", ["admin"], True), ALICE),
        (USER, UserDict(ALICE), ALICE),
        (USER, {"user_id": 1, "name": "Alice", "tags": ("admin",), "active": True}, ALICE),
        (ListType(U8), bytearray(b"ab"), b"ab"),
        (ListType(U8), memoryview(b"ab"), b"ab"),
        (ListType(U8), [97, 98], b"ab"),
        (ListType(U8), array("B", b"ab"), b"ab"),
        (ListType(U8, 2), b"ab", b"ab"),
        (ListType(S32), array("i", [1, -2]), [1, -2]),
        (ListType(S32), array("q", [1, -2]), [1, -2]),
        (ListType(S32), memoryview(array("i", [1, 2, 3, 4]))[::2], [1, 3]),
        (ListType(S32), range(3), [0, 1, 2]),
        (ListType(S32), UserList([1, 0]), [1, 0]),
        (ListType(F64), [1, 2.5], [1.0, 2.5]),
        (ListType(F64), array("f", [0.5]), [0.5]),
        (ListType(STRING), ("a", "b"), ["a", "b"]),
        (S32, Level.HIGH, 3),
        (F64, 3, 3.0),
        (F32, float("inf"), float("inf")),
        (COLOUR, Shade.RED, "red"),
        (RIGHTS, ["read", "read"], {"read"}),
        (RIGHTS, frozenset(), set()),
        (TupleType((S32, STRING)), [1, "a"], (1, "a")),
        (MapType(STRING, U32), OrderedDict(a=1, b=2), {"a": 1, "b": 2}),
        (MapType(STRING, U32), [("a", 1), ("a", 2)], {"a": 2}),
        (OptionType(OptionType(S32)), Some(None), Some(None)),
        (OptionType(OptionType(S32)), Some(4), Some(4)),
        (ResultType(None, STRING), Ok(), Ok()),
        (ResultType(None, STRING), Err("no"), Err("no")),
        (SHAPE, Variant("circle", 2), Variant("circle", 2.0)),
    ],
)
def test_takes(t: ValType, given: Any, expected: Any) -> None:
    result = echo(t)(given)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("t", "value", "message"),
    [
        (S32, True, "x: expected s32, got True"),
        (S32, 1.0, "x: expected s32, got 1.0"),
        (S32, "1", "x: expected s32, got '1'"),
        (S32, None, "x: expected s32, got None"),
        (S8, 128, "x: expected s8 (-128 to 127), got 128"),
        (U64, -1, "x: expected u64 (0 to 18446744073709551615), got -1"),
        (BOOL, 1, "x: expected bool, got 1"),
        (F64, True, "x: expected f64, got True"),
        (F64, "1.5", "x: expected f64, got '1.5'"),
        (F32, 1e300, "x: expected f32, got 1e+300"),
        (CHAR, "ab", "x: expected char (a str of one Unicode scalar value), got 'ab'"),
        (CHAR, "\ud800", "x: expected char (a str of one Unicode scalar value), got '\\ud800'"),
        (STRING, b"ab", "x: expected string, got b'ab'"),
        (STRING, "a\udfff", "x: expected string without lone surrogates, got 'a\\udfff' (character 1 is '\\udfff')"),
        (COLOUR, "blue", "x: expected enum {red, dark-green}, got 'blue'"),
        (COLOUR, 0, "x: expected enum {red, dark-green}, got 0"),
        (RIGHTS, "read", "x: expected flags {read, write}, got 'read'"),
        (RIGHTS, {"fly"}, "x: expected flags {read, write}, got {'fly'} (there is no flag 'fly')"),
        (RIGHTS, {"read": True}, "x: expected flags {read, write}, got {'read': True}"),
        (ListType(STRING), "ab", "x: expected list<string>, got 'ab'"),
        (ListType(STRING), {"a": 1}, "x: expected list<string>, got {'a': 1}"),
        (ListType(U32), [0, True], "x[1]: expected u32, got True"),
        (ListType(U32), [0] * 99 + [False], "x[99]: expected u32, got False"),
        (ListType(F64), [0.5, True], "x[1]: expected f64, got True"),
        (ListType(F32), [0.5, False], "x[1]: expected f32, got False"),
        (ListType(U8), [1, 256], "x[1]: expected u8 (0 to 255), got 256"),
        (ListType(U8), array("b", [-1]), "x[0]: expected u8 (0 to 255), got -1"),
        (ListType(U8), memoryview(array("b", [-1])), "x[0]: expected u8 (0 to 255), got -1"),
        (ListType(S32), array("q", [2**31]), "x[0]: expected s32 (-2147483648 to 2147483647), got 2147483648"),
        (ListType(S32), array("d", [1.0]), "x[0]: expected s32, got 1.0"),
        (ListType(U8), "ab", "x: expected list<u8>, got 'ab'"),
        (ListType(S32, 2), [1], "x: expected list<s32, 2>, got 1 element"),
        (TupleType((S32, S32)), (1,), "x: expected tuple<s32, s32>, got (1,)"),
        (TupleType((S32, S32)), {"a": 1, "b": 2}, "x: expected tuple<s32, s32>, got {'a': 1, 'b': 2}"),
        (OptionType(OptionType(S32)), 4, "x: expected option<option<s32>>, got 4"),
        (ResultType(S32, None), 4, "x: expected result<s32>, got 4"),
        (ResultType(None, None), Ok(4), "x: expected result, got Ok(value=4) (this case has no payload)"),
        (SHAPE, "empty", "x: expected variant {empty, circle}, got 'empty'"),
        (SHAPE, Variant("square"), "(it has no case 'square')"),
        (SHAPE, Variant("empty", 1), "(this case has no payload)"),
        (SHAPE, Variant("circle"), "x.circle: expected f64, got None"),
        (USER, {**ALICE, "tags": 5}, "x.tags: expected list<string>, got 5"),
        (USER, {**ALICE, "extra": 5}, "(field 'extra' is unknown)"),
        (USER, {"name": "Alice"}, "(field `user-id` is missing)"),
        (USER, 5, "x: expected record {user-id, name, tags, active}, got 5"),
        (ListType(USER), [ALICE, {**ALICE, "tags": ["a", 5]}], "x[1].tags[1]: expected string, got 5"),
        (MapType(STRING, U32), {"a": -1}, "x['a']: expected u32 (0 to 4294967295), got -1"),
        (MapType(STRING, U32), {1: 1}, "x[1]: expected string, got 1"),
    ],
)
def test_refuses(t: ValType, value: Any, message: str) -> None:
    with pytest.raises(ValueMismatchError) as caught:
        echo(t)(value)
    assert message in str(caught.value)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_refuses_a_wrong_number_of_arguments(count: int) -> None:
    ft = FuncType((Param("a", S32), Param("b", STRING)))
    call = lift(ft, FakeFunc(lambda *core: pytest.fail("the guest ran")), Options(), FakeGuest().binding(), name="f")
    with pytest.raises(ValueMismatchError, match=rf"f: expected 2 arguments \(a: s32, b: string\), got {count}"):
        call(*[1, "a", 2][:count])


def test_names_a_host_functions_wrong_result() -> None:
    _, call = lower(FuncType((), ListType(U8)), lambda: 5, Options(), FakeGuest().binding(), name="read")
    with pytest.raises(ValueMismatchError, match="result of read: expected list<u8>, got 5"):
        call(64)
    _, call = lower(FuncType(), lambda: 5, Options(), FakeGuest().binding(), name="log")
    with pytest.raises(ValueMismatchError, match="result of log: expected None, got 5"):
        call()


def test_numbers_come_out_as_arrays_on_request() -> None:
    guest = FakeGuest()
    guest.memory.bytes[64:72] = (128).to_bytes(4, "little") + (3).to_bytes(4, "little")
    guest.memory.bytes[128:140] = b"".join(i.to_bytes(4, "little") for i in (7, 8, 9))
    core = FakeFunc(lambda: 64)
    ft = FuncType((), ListType(U32))
    result = lift(ft, core, Options(), guest.binding(), buffers=True)()
    assert type(result) is array
    assert result == array("I", [7, 8, 9])


def test_a_value_whose_repr_fails_is_still_refused() -> None:
    class Odd:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    with pytest.raises(ValueMismatchError, match="x: expected s32, got <Odd>"):
        echo(S32)(Odd())


def test_nan_is_canonical() -> None:
    bits: list[int] = []
    t = VariantType((Case("f", F64), Case("i", U64)))
    ft = FuncType((Param("x", t),))
    noisy = -float("nan")
    lift(ft, FakeFunc(lambda case, payload: bits.append(payload)), Options(), FakeGuest().binding())(
        Variant("f", noisy)
    )
    assert bits == [0x7FF8_0000_0000_0000]


@pytest.mark.parametrize(("element", "code", "noise"), [(F32, "f", "010080ff"), (F64, "d", "010000000000f0ff")])
@pytest.mark.parametrize("count", [2, 70_000])
def test_nans_of_lists_are_canonical(element: Prim, code: str, noise: str, count: int) -> None:
    guest = FakeGuest()
    values = array(code, [1.5, float("inf"), -float("inf")]).tobytes() + bytes.fromhex(noise) * count
    at = guest.realloc(0, 0, 8, len(values))
    area = guest.realloc(0, 0, 4, 8)
    guest.memory.view()[at : at + len(values)] = values
    guest.memory.view()[area : area + 8] = struct.pack("<II", at, count + 3)
    found = lift(FuncType((), ListType(element)), FakeFunc(lambda: area), Options(), guest.binding())()
    assert found[:3] == [1.5, float("inf"), -float("inf")]
    assert {struct.pack("<d", x) for x in found[3:]} == {bytes.fromhex("000000000000f87f")}


def test_a_module_without_memory_or_realloc_is_refused_when_bound() -> None:
    guest, ft = FakeGuest(), FuncType((Param("x", STRING),))
    core = FakeFunc(lambda *args: None)
    with pytest.raises(InvalidError, match="function f needs a memory"):
        lift(ft, core, Options(), Binding(guest.instance), name="f")
    with pytest.raises(InvalidError, match="function f needs a `realloc`"):
        lift(ft, core, Options(), Binding(guest.instance, guest.memory), name="f")
    with pytest.raises(InvalidError, match="function f needs a memory"):
        lower(ft, print, Options(), Binding(guest.instance), name="f")


@pytest.mark.parametrize(
    ("type", "words"),
    [
        (StreamType(U8), "stream<u8>"),
        (FutureType(), "future"),
        (ListType(FutureType(TupleType((U8, U8)))), "list<future<tuple<u8, u8>>>"),
    ],
)
def test_types_that_have_no_values_yet_are_named_as_in_wit(type: ValType, words: str) -> None:
    assert show_type(type) == words


def test_long_names_are_cut_where_types_are_shown() -> None:
    long = RecordType(tuple([Field(f"n{i}-{'x' * 100_000}", U8) for i in range(9)]))
    assert len(show_type(TupleType((long,) * 8))) < 4_000
