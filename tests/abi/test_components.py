"""One component calls another: full copies, handles that move by representation, strings that change encoding."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.abi import abi_types
from tests.abi.abi_fakes import FakeFunc, FakeGuest
from wippywasm.abi import ComponentInstance, Options, RuntimeResource, lift, lower, resource_drop, resource_new
from wippywasm.abi.reference_context import LiftLowerContext
from wippywasm.abi.reference_flat import lower_flat_values, wrap
from wippywasm.errors import Trap
from wippywasm.layout import MAX_FLAT_PARAMS, flatten_functype
from wippywasm.model import (
    S32,
    STRING,
    U32,
    BorrowType,
    FuncType,
    ListType,
    MapType,
    OwnType,
    Param,
    ResourceType,
    TupleType,
    ValType,
)

SETTINGS = settings(
    max_examples=80,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    report_multiple_bugs=False,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)


def siblings() -> tuple[FakeGuest, FakeGuest]:
    """A caller and a callee under one root."""
    root = ComponentInstance()
    return FakeGuest(ComponentInstance(root)), FakeGuest(ComponentInstance(root))


def core_values(guest: FakeGuest, ft: FuncType, values: list[Any], encoding: str) -> list[Any]:
    """Values in a guest's memory, as it would pass them."""
    types = tuple(p.type for p in ft.params)
    cx = LiftLowerContext(guest.binding(), encoding)
    flat = lower_flat_values(cx, MAX_FLAT_PARAMS, values, types)
    return [wrap(v, t) for v, t in zip(flat, flatten_functype(ft, "lift").params)]


def link(caller: FakeGuest, callee: FakeGuest, ft: FuncType, core: Any, encodings: tuple[str, str]) -> Any:
    function = lift(ft, FakeFunc(core), Options(encodings[1]), callee.binding(), caller=caller.instance, name="f")
    return lower(ft, function, Options(encodings[0]), caller.binding(), name="f")[1]


@SETTINGS
@given(
    data=st.data(),
    types=st.lists(abi_types.TYPES, min_size=1, max_size=3),
    encodings=st.tuples(st.sampled_from(abi_types.ENCODINGS), st.sampled_from(abi_types.ENCODINGS)),
)
def test_arguments_arrive(data: st.DataObject, types: list[ValType], encodings: tuple[str, str]) -> None:
    values = [data.draw(abi_types.values(t)) for t in types]
    ft = FuncType(tuple(Param(f"p{i}", t) for i, t in enumerate(types)))
    caller, callee = siblings()
    got: list[Any] = []
    _, receive = lower(ft, lambda *args: got.extend(args), Options(encodings[1]), callee.binding())
    call = link(caller, callee, ft, receive, encodings)
    spec = [abi_types.to_spec(t, v, encodings[0]) for t, v in zip(types, values)]
    call(*core_values(caller, ft, spec, encodings[0]))
    assert abi_types.same(got, values)
    assert callee.instance.may_enter
    assert callee.instance.may_leave


@SETTINGS
@given(
    data=st.data(),
    t=abi_types.TYPES,
    encodings=st.tuples(st.sampled_from(abi_types.ENCODINGS), st.sampled_from(abi_types.ENCODINGS)),
)
def test_results_arrive(data: st.DataObject, t: ValType, encodings: tuple[str, str]) -> None:
    value = data.draw(abi_types.values(t))
    ft = FuncType((), t)
    caller, callee = siblings()
    type, give = lower(ft, lambda: value, Options(encodings[1]), callee.binding())
    call = link(caller, callee, ft, (lambda: (give(64), 64)[1]) if type.params else give, encodings)
    returns = FakeFunc((lambda: (call(64), 64)[1]) if type.params else call)
    assert abi_types.same(lift(ft, returns, Options(encodings[0]), caller.binding())(), value)


@pytest.mark.parametrize(
    ("text", "encodings", "reallocs"),
    [
        ("abc", ("utf8", "utf8"), [(0, 0, 1, 3)]),
        ("abc", ("utf16", "utf8"), [(0, 0, 1, 3)]),
        ("aé", ("utf16", "utf8"), [(0, 0, 1, 2), (4096, 2, 1, 6), (4098, 6, 1, 3)]),
        ("aé", ("latin1+utf16", "utf8"), [(0, 0, 1, 2), (4096, 2, 1, 4), (4098, 4, 1, 3)]),
        ("aé", ("utf8", "utf16"), [(0, 0, 2, 6), (4096, 6, 2, 4)]),
        ("abc", ("utf8", "utf16"), [(0, 0, 2, 6)]),
        ("aé", ("utf8", "latin1+utf16"), [(0, 0, 2, 3), (4096, 3, 2, 2)]),
        ("a€", ("utf8", "latin1+utf16"), [(0, 0, 2, 4), (4096, 4, 2, 8), (4100, 8, 2, 4)]),
        ("aé", ("latin1+utf16", "latin1+utf16"), [(0, 0, 2, 2)]),
        ("a€", ("latin1+utf16", "latin1+utf16"), [(0, 0, 2, 4)]),
        ("", ("utf16", "utf8"), [(0, 0, 1, 0)]),
    ],
)
def test_callees_see_the_reallocs_of_the_specification(
    text: str, encodings: tuple[str, str], reallocs: list[tuple[int, ...]]
) -> None:
    caller, callee = siblings()
    ft = FuncType((Param("s", STRING),))
    got: list[Any] = []
    _, receive = lower(ft, got.append, Options(encodings[1]), callee.binding())
    spec = abi_types.to_spec(STRING, text, encodings[0])
    link(caller, callee, ft, receive, encodings)(*core_values(caller, ft, [spec], encodings[0]))
    assert got == [text]
    assert callee.calls == reallocs


def test_utf16_that_fits_latin1_is_deflated() -> None:
    caller, callee = siblings()
    ft = FuncType((Param("s", STRING),))
    got: list[Any] = []
    link(caller, callee, ft, lambda *core: got.extend(core), ("latin1+utf16", "latin1+utf16"))(
        *core_values(caller, ft, [("AB", "utf16", 2)], "utf16")[:1], -0x80000000 + 2
    )
    assert got == [4096, 2]
    assert callee.memory.bytes[4096:4098] == b"AB"
    assert callee.calls == [(0, 0, 2, 4), (4096, 4, 1, 2)]


@pytest.mark.parametrize("encoding", abi_types.ENCODINGS)
def test_maps_keep_their_entries(encoding: str) -> None:
    caller, callee = siblings()
    ft, pairs = FuncType((Param("m", MapType(STRING, U32)),)), ListType(TupleType((STRING, U32)))
    got: list[Any] = []
    _, receive = lower(FuncType((Param("m", pairs),)), got.append, Options(encoding), callee.binding())
    spec = abi_types.to_spec(pairs, [("k", 1), ("a", 3), ("k", 2)], encoding)
    link(caller, callee, ft, receive, (encoding, encoding))(*core_values(caller, ft, [spec], encoding))
    assert got == [[("k", 1), ("a", 3), ("k", 2)]]


R = ResourceType("r")


@pytest.mark.parametrize("strings", [("utf8", "utf8"), ("utf16", "utf8")])
def test_handles_move_and_are_lent(strings: tuple[str, str]) -> None:
    user, maker = siblings()
    dropped: list[int] = []
    rt = RuntimeResource(maker.instance, dropped.append, "r")
    user.resources[R] = maker.resources[R] = rt
    name = Param("name", STRING)
    new, drop_own = resource_new(rt, maker.instance), resource_drop(rt, maker.instance)
    make = link(user, maker, FuncType((name,), OwnType(R)), lambda *s: new(77), strings)
    take = link(user, maker, FuncType((name, Param("r", OwnType(R)))), lambda p, n, index: drop_own(index), strings)
    look = link(user, maker, FuncType((name, Param("r", BorrowType(R))), S32), lambda p, n, rep: rep, strings)
    first, second = make(0, 0), make(0, 0)
    assert (first, second) == (1, 2)
    assert look(0, 0, first) == 77
    assert list(maker.instance.handles) == []
    take(0, 0, first)
    assert dropped == [77]
    with pytest.raises(Trap, match="unknown handle index 1"):
        look(0, 0, first)


def test_an_own_that_is_lent_in_the_same_call_traps() -> None:
    user, maker = siblings()
    rt = user.resources[R] = maker.resources[R] = RuntimeResource(maker.instance, None, "r")
    make = link(user, maker, FuncType((), OwnType(R)), lambda: resource_new(rt, maker.instance)(1), ("utf8", "utf8"))
    ft = FuncType((Param("b", BorrowType(R)), Param("o", OwnType(R))))
    index = make()
    with pytest.raises(Trap, match="cannot remove owned resource while borrowed"):
        link(user, maker, ft, lambda b, o: None, ("utf8", "utf8"))(index, index)


@pytest.mark.parametrize("strings", [("utf8", "utf8"), ("utf16", "utf8")])
def test_traps_speak_of_components(strings: tuple[str, str]) -> None:
    ft = FuncType((Param("s", STRING), Param("l", ListType(U32))))
    for args, message in [
        ((0x7FFFFFF0, 1, 0, 0), "string content out-of-bounds"),
        ((0, 0, 0x7FFFFFF0, 1), "list content out-of-bounds"),
        ((0, 0, 2, 1), "unaligned pointer"),
    ]:
        caller, callee = siblings()
        with pytest.raises(Trap, match=message):
            link(caller, callee, ft, lambda *core: None, strings)(*args)


@pytest.mark.parametrize("strings", [("utf8", "utf8"), ("utf16", "utf8")])
def test_a_trap_in_the_callee_bars_it(strings: tuple[str, str]) -> None:
    caller, callee = siblings()
    call = link(caller, callee, FuncType((Param("s", STRING),)), lambda p, n: 1 // 0, strings)
    with pytest.raises(ZeroDivisionError):
        call(0, 0)
    with pytest.raises(Trap, match="cannot enter component instance"):
        call(0, 0)
    caller.instance.may_leave = False
    with pytest.raises(Trap, match="cannot leave component instance"):
        call(0, 0)
