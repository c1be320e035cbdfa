"""Compiled code equals the interpreter of the specification: on every value, and on every memory."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.abi import abi_types
from tests.abi.abi_fakes import FakeFunc, FakeGuest
from wippywasm.abi import Binding, Options, lift, lower
from wippywasm.abi.reference_context import LiftLowerContext
from wippywasm.abi.reference_flat import CoreValueIter, lift_flat_values, lower_flat_values, unwrap, wrap
from wippywasm.errors import Trap
from wippywasm.layout import MAX_FLAT_PARAMS, MAX_FLAT_RESULTS, flatten_functype
from wippywasm.model import PRIMS, FuncType, ListType, Param, ValType

SETTINGS = settings(
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    report_multiple_bugs=False,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
ENCODINGS = st.sampled_from(abi_types.ENCODINGS)


def function_of(types: list[ValType], result: ValType | None = None) -> FuncType:
    return FuncType(tuple(Param(f"p{i}", t) for i, t in enumerate(types)), result)


def reference_lower(guest: FakeGuest, types: list[ValType], values: list[Any], encoding: str) -> list[Any]:
    cx = LiftLowerContext(guest.binding(), encoding)
    spec = [abi_types.to_spec(t, v, encoding) for t, v in zip(types, values)]
    flat = lower_flat_values(cx, MAX_FLAT_PARAMS, spec, tuple(types))
    return [wrap(v, t) for v, t in zip(flat, flatten_functype(function_of(types), "lift").params)]


def reference_lift(guest: FakeGuest, types: list[ValType], core: list[Any], encoding: str, max_flat: int) -> list[Any]:
    cx = LiftLowerContext(guest.binding(), encoding)
    flat_types = flatten_functype(function_of(types), "lift").params
    vi = CoreValueIter(iter([unwrap(v, t) for v, t in zip(core, flat_types)]))
    return [abi_types.from_spec(t, v) for t, v in zip(types, lift_flat_values(cx, max_flat, vi, tuple(types)))]


@SETTINGS
@given(data=st.data(), types=st.lists(abi_types.TYPES, max_size=5), encoding=ENCODINGS)
def test_arguments_are_lowered_as_the_reference_does(data: st.DataObject, types: list[ValType], encoding: str) -> None:
    values = [data.draw(abi_types.values(t)) for t in types]
    ours, theirs = FakeGuest(), FakeGuest()
    got: list[Any] = []
    call = lift(function_of(types), FakeFunc(lambda *core: got.extend(core)), Options(encoding), ours.binding())
    call(*values)
    assert abi_types.same(got, reference_lower(theirs, types, values, encoding))
    assert ours.calls == theirs.calls
    assert ours.memory.bytes == theirs.memory.bytes


@SETTINGS
@given(data=st.data(), types=st.lists(abi_types.TYPES, max_size=5), encoding=ENCODINGS)
def test_arguments_are_lifted_again(data: st.DataObject, types: list[ValType], encoding: str) -> None:
    values = [data.draw(abi_types.values(t)) for t in types]
    guest = FakeGuest()
    core = reference_lower(guest, types, values, encoding)
    got: list[Any] = []
    _, call = lower(function_of(types), lambda *args: got.extend(args), Options(encoding), guest.binding())
    call(*core)
    assert abi_types.same(got, values)
    assert abi_types.same(got, reference_lift(guest, types, core, encoding, MAX_FLAT_PARAMS))


@SETTINGS
@given(data=st.data(), t=abi_types.TYPES, encoding=ENCODINGS)
def test_results_go_out_and_in(data: st.DataObject, t: ValType, encoding: str) -> None:
    value = data.draw(abi_types.values(t))
    guest = FakeGuest()
    ft = FuncType((), t)
    type, core = lower(ft, lambda: value, Options(encoding), guest.binding())
    call = lift(ft, FakeFunc((lambda: (core(64), 64)[1]) if type.params else core), Options(encoding), guest.binding())
    assert abi_types.same(call(), value)


def outcome(run: Any) -> Any:
    """What a call gives, or the words it traps with, but for the function's name, which the reference does not know."""
    try:
        return run()
    except Trap as trap:
        return "trap: " + re.sub(f" in (the|an) [a-z]+ of `{trap.function}`$", "", trap.message)


NUMBERS = st.one_of(
    st.integers(0, 64), st.integers(65500, 65540), st.integers(0, 2**32 - 1), st.sampled_from([0x80000000, 0x80000002])
)


def core_values(ft: FuncType) -> st.SearchStrategy[list[Any]]:
    by_type = {
        "i32": NUMBERS.map(lambda v: wrap(v, "i32")),
        "i64": st.one_of(NUMBERS, st.integers(0, 2**64 - 1)).map(lambda v: wrap(v, "i64")),
        "f32": st.floats(width=32),
        "f64": st.floats(),
    }
    return st.tuples(*[by_type[t] for t in flatten_functype(ft, "lift").params]).map(list)


def hostile_memory(data: st.DataObject) -> bytes:
    """A page in which small numbers, text and noise alternate."""
    piece = st.one_of(
        st.binary(min_size=4, max_size=4),
        st.integers(0, 80).map(lambda n: n.to_bytes(4, "little")),
        st.sampled_from([b"text", "ö€".encode()[:4], b"\xff\xff\0\0", b"\0\0\0\x80", b"\xdc\xff\0\0"]),
    )
    pattern = b"".join(data.draw(st.lists(piece, min_size=8, max_size=40)))
    return (pattern * (65536 // len(pattern) + 1))[:65536]


@settings(SETTINGS, max_examples=150)
@given(data=st.data(), types=st.lists(abi_types.TYPES, min_size=1, max_size=3), encoding=ENCODINGS)
def test_hostile_arguments_trap_alike(data: st.DataObject, types: list[ValType], encoding: str) -> None:
    guest = FakeGuest()
    guest.memory.bytes[:] = hostile_memory(data)
    core = data.draw(core_values(function_of(types)))
    _, call = lower(function_of(types), lambda *args: got.extend(args), Options(encoding), guest.binding())
    got: list[Any] = []
    expected = outcome(lambda: reference_lift(guest, types, core, encoding, MAX_FLAT_PARAMS))
    ours = outcome(lambda: (call(*core), got)[1])
    assert abi_types.same(ours, expected)


@settings(SETTINGS, max_examples=150)
@given(data=st.data(), t=abi_types.TYPES, encoding=ENCODINGS)
def test_hostile_results_trap_alike(data: st.DataObject, t: ValType, encoding: str) -> None:
    guest = FakeGuest()
    guest.memory.bytes[:] = hostile_memory(data)
    flat = flatten_functype(FuncType((), t), "lift").results
    [core] = data.draw(core_values(function_of([t]))) if len(flat) == 1 and flat[0] != "i32" else [data.draw(NUMBERS)]
    call = lift(FuncType((), t), FakeFunc(lambda: core), Options(encoding), guest.binding())
    if flat[0] == "i32":
        core = wrap(core, "i32")
    expected = outcome(lambda: reference_lift_result(guest, t, core, encoding))
    assert abi_types.same(outcome(call), expected)


def reference_lift_result(guest: FakeGuest, t: ValType, core: Any, encoding: str) -> Any:
    cx = LiftLowerContext(guest.binding(), encoding)
    [flat] = flatten_functype(FuncType((), t), "lift").results
    [value] = lift_flat_values(cx, MAX_FLAT_RESULTS, CoreValueIter(iter([unwrap(core, flat)])), (t,))
    return abi_types.from_spec(t, value)


@SETTINGS
@given(data=st.data(), types=st.lists(abi_types.TYPES, min_size=1, max_size=3), encoding=ENCODINGS)
def test_a_realloc_that_lies_traps_alike(data: st.DataObject, types: list[ValType], encoding: str) -> None:
    values = [data.draw(abi_types.values(t)) for t in types]
    pointers = data.draw(st.lists(st.one_of(st.integers(64, 60000).map(lambda p: p & ~7), NUMBERS), max_size=4))

    def liar(guest: FakeGuest) -> Binding:
        lies = iter(pointers)
        return guest.binding(realloc=lambda *args: wrap(next(lies, guest.realloc(*args)), "i32"))

    guest = FakeGuest()
    call = lift(function_of(types), FakeFunc(lambda *core: None), Options(encoding), liar(guest))
    ours = outcome(lambda: call(*values))
    other = FakeGuest()
    cx = LiftLowerContext(liar(other), encoding)
    spec = [abi_types.to_spec(t, v, encoding) for t, v in zip(types, values)]
    theirs = outcome(lambda: (lower_flat_values(cx, MAX_FLAT_PARAMS, spec, tuple(types)), None)[1])
    if theirs is None or isinstance(ours, str):
        assert ours == theirs or isinstance(theirs, str)
    assert isinstance(ours, str) == isinstance(theirs, str)


def test_a_wrong_argument_leaves_the_guest_alone() -> None:
    guest = FakeGuest()
    ft = function_of([ListType(PRIMS["string"])])
    call = lift(ft, FakeFunc(lambda *core: pytest.fail("the guest ran")), Options(), guest.binding())
    with pytest.raises(Exception, match=r"p0\[1\]: expected string, got 5"):
        call(["a", 5])
    assert guest.calls == []
    assert guest.instance.may_enter


@pytest.mark.parametrize("depth", [2, 3])
def test_lists_that_share_their_memory_do_not_multiply_it(depth: int) -> None:
    """Every element of a list, at every level, is the same list."""
    guest, count, level_size = FakeGuest(size=3 << 20), 100_000, 1 << 20
    t: ValType = ListType(PRIMS["u8"])
    for level in range(1, depth):
        t = ListType(t)
        element = ((level - 1) * level_size).to_bytes(4, "little") + count.to_bytes(4, "little")
        guest.memory.bytes[level * level_size : level * level_size + 8 * count] = element * count
    _, call = lower(function_of([t]), lambda x: pytest.fail("it was built"), Options(), guest.binding())
    core = [(depth - 1) * level_size, count]
    with pytest.raises(Trap, match="hold too much data"):
        call(*core)
    cx = LiftLowerContext(guest.binding(), "utf8")
    cx.allowance.left = 10 * count
    with pytest.raises(Trap, match="hold too much data"):
        lift_flat_values(cx, MAX_FLAT_PARAMS, CoreValueIter(iter(core)), (t,))
