"""Code for types that unfold to much more than there is of them: what it does, and how much there is of it."""

from __future__ import annotations

import asyncio
import gc
import itertools
import linecache
import threading
import traceback
from collections.abc import Iterator
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.abi import abi_types
from tests.abi.abi_fakes import FakeFunc, FakeGuest
from tests.abi.test_against_reference import ENCODINGS, SETTINGS, reference_lower
from tests.abi.test_wide_types import there_and_back
from tests.binary.peaks import assert_peak
from wippywasm.abi import Binding, Options, lift, lower, prepare_lift
from wippywasm.abi.bounds import is_dense
from wippywasm.abi.source import STEPWISE_SIDE
from wippywasm.errors import Trap, UnsupportedFeatureError
from wippywasm.layout import MAX_FLAT_PARAMS, alignment, elem_size, flatten_types
from wippywasm.model import (
    PRIMS,
    Case,
    Field,
    FuncType,
    ListType,
    OptionType,
    Param,
    RecordType,
    TupleType,
    ValType,
    VariantType,
)
from wippywasm.values import Variant

STRING, U8 = PRIMS["string"], PRIMS["u8"]
FEW = [PRIMS[name] for name in ("u8", "u16", "u32", "s8", "string", "bool", "char", "f32")]
OPTION = OptionType(TupleType((STRING, OptionType(U8))))
MEGABYTE = 1 << 20

_names = itertools.count()


def of_cases(types: list[ValType]) -> VariantType:
    return VariantType(tuple([Case(f"c-{i}", t) for i, t in enumerate(types)]))


def new_function(types: list[ValType], result: ValType | None = None) -> FuncType:
    """A function type that no code has been written for."""
    return FuncType(tuple([Param(f"p{next(_names)}", t) for t in types]), result)


def different(count: int) -> Iterator[TupleType]:
    """Tuples of which none is like another."""
    return map(TupleType, itertools.islice(itertools.product(FEW[:4], repeat=7), count))


FLAT = of_cases([of_cases([FEW[i % 4]] * 30) for i in range(30)])
WIDE = TupleType((TupleType((OPTION,) * 7),) * 15)
HEAVY: list[tuple[ValType, Any]] = [
    (FLAT, Variant("c-7", Variant("c-29", 3))),
    (WIDE, ((None, ("x", None), ("y", 1), None, None, None, ("", 255)),) * 15),
]


def test_which_code_is_dense() -> None:
    assert is_dense([FLAT])
    assert is_dense([WIDE])
    assert is_dense([TupleType((OPTION,) * 7)] * 200)
    assert not is_dense([TupleType((OPTION,) * 7)])
    assert len(flatten_types((FLAT,))) < MAX_FLAT_PARAMS < len(flatten_types((WIDE,)))


@pytest.mark.parametrize("heavy", range(len(HEAVY)))
@SETTINGS
@given(data=st.data(), types=st.lists(abi_types.TYPES, max_size=3), encoding=ENCODINGS)
def test_dense_code_does_as_the_reference(heavy: int, data: st.DataObject, types: list[ValType], encoding: str) -> None:
    t, value = HEAVY[heavy]
    values = [*[data.draw(abi_types.values(t)) for t in types], value]
    check([*types, t], values, encoding)


def check(types: list[ValType], values: list[Any], encoding: str) -> None:
    """Values go to a guest as the reference sends them, and come back as they were."""
    assert is_dense(types)
    ft, ours, core = there_and_back(types, values, encoding)
    check_between(ft, ours, core, values, encoding)


def check_between(ft: FuncType, caller: FakeGuest, core: list[Any], values: list[Any], encoding: str) -> None:
    """A component gives values to another as the reference sends them."""
    callee, theirs = FakeGuest(), FakeGuest()
    seen: list[Any] = []
    inner = lift(ft, FakeFunc(lambda *given: seen.extend(given)), Options(encoding), callee.binding())
    lower(ft, inner, Options(encoding), caller.binding())[1](*core)
    types = [p.type for p in ft.params]
    assert abi_types.same(seen, reference_lower(theirs, types, values, encoding))
    assert callee.memory.bytes == theirs.memory.bytes


@SETTINGS
@given(data=st.data(), t=abi_types.TYPES, encoding=ENCODINGS)
def test_dense_results_come_back(data: st.DataObject, t: ValType, encoding: str) -> None:
    heavy, other = HEAVY[1]
    value = data.draw(abi_types.values(t)), other
    result = TupleType((t, heavy))
    ft, guest = FuncType((), result), FakeGuest()
    place = guest.realloc(0, 0, alignment(result), elem_size(result))

    def core() -> int:
        lower(ft, lambda: value, Options(encoding), guest.binding())[1](place)
        return place

    assert abi_types.same(lift(ft, FakeFunc(core), Options(encoding), guest.binding())(), value)


def test_tasks_take_and_get_it() -> None:
    t, value = HEAVY[1]
    ft, guest = new_function([t], ListType(t)), FakeGuest(size=MEGABYTE)
    sync = guest.binding()

    async def realloc(*given: int) -> int:
        return guest.realloc(*given)

    async def core(pointer: int) -> int:
        guest.memory.bytes[1024:1032] = pointer.to_bytes(4, "little") + (1).to_bytes(4, "little")
        return 1024

    stepwise = Binding(sync.instance, sync.memory, FakeFunc(realloc))
    call = prepare_lift(ft, Options(), "f", STEPWISE_SIDE).bind(FakeFunc(core), stepwise)
    assert asyncio.run(call(value)) == [value]


# ---- how much there is of it ----------------------------------------------------------------------------------------


def round_trip(ft: FuncType, values: list[Any]) -> list[Any]:
    """The first calls with functions of that type: what a host gives to a guest, that gives it to a host."""
    guest, got = FakeGuest(size=MEGABYTE), list[Any]()
    _, host = lower(ft, lambda *given: got.extend(given), Options(), guest.binding())
    lift(ft, FakeFunc(host), Options(), guest.binding())(*values)
    return got


SMALL_FILES: list[tuple[list[ValType], list[Any]]] = [
    ([TupleType((OPTION,) * 7)] * 200, [(None, ("x", None), ("y", 1), None, None, None, ("", 255))] * 200),
    ([of_cases([FEW[i % 4] for i in range(30)])] * 1000, [Variant("c-29", 1)] * 1000),
    ([TupleType((U8,) * 990)] * 100, [(1,) * 990] * 100),
    ([FLAT], [Variant("c-1", Variant("c-2", 1))]),
]


@pytest.mark.parametrize("case", range(len(SMALL_FILES)), ids=["options", "variants", "bytes", "flat"])
def test_a_first_call_takes_little_memory_where_types_are_few(case: int) -> None:
    types, values = SMALL_FILES[case]
    assert round_trip(new_function(types), values) == values
    assert_peak(lambda: round_trip(new_function(types), values), 9 * MEGABYTE)  # 3.13's compiler takes over 8


def test_a_first_call_takes_little_more_memory_where_they_are_many() -> None:
    t, values = TupleType(tuple(different(200))), [((1,) * 7,) * 200]
    assert round_trip(new_function([t]), values) == values
    assert_peak(lambda: round_trip(new_function([t]), values), 4 * MEGABYTE)


def written() -> dict[str, int]:
    """The generated texts there are, and their sizes."""
    gc.collect()
    texts = [(name, entry) for name, entry in linecache.cache.items() if name.startswith("<wippywasm abi")]
    return {name: cast("int", entry[0]) for name, entry in texts}


def test_code_grows_with_what_is_different() -> None:
    sizes = []
    for t in (WIDE, TupleType((WIDE,) * 20), TupleType((TupleType((WIDE,) * 20),) * 20)):
        before = written()
        kept = lift(new_function([ListType(t)]), FakeFunc(lambda *core: None), Options(), FakeGuest().binding())
        kept([value_of(t)])
        sizes.append(sum(written().values()) - sum(before.values()))
    assert sizes[2] - sizes[1] < sizes[0]


def value_of(t: ValType) -> Any:
    return tuple(map(value_of, t.items)) if isinstance(t, TupleType) else None


def test_code_is_written_for_the_cases_that_are_met() -> None:
    records = [RecordType(tuple(Field(f"f-{i}-{j}", FEW[j % 8]) for j in range(15))) for i in range(400)]
    values = {t: dict(zip([f.name for f in t.fields], (1, 2, 3, 4, "s", True, "c", 0.5) * 2)) for t in records}
    call = lift(new_function([ListType(of_cases([*records]))]), FakeFunc(lambda *core: None), Options(), binding())
    sizes = []
    for numbers in ([7], [7, 9, 7], range(400), range(400)):
        call([Variant(f"c-{i}", values[records[i]]) for i in numbers])
        sizes.append(len(written()))
    assert [b - a for a, b in itertools.pairwise(sizes)] == [2, 2 * 398, 0]


def binding() -> Any:
    return FakeGuest(size=MEGABYTE).binding()


def test_helpers_are_forgotten_with_their_function() -> None:
    before = written()
    call = lift(new_function([ListType(WIDE)]), FakeFunc(lambda *core: None), Options(), binding())
    call([HEAVY[1][1]])
    assert written().keys() - before.keys()
    del call
    assert not written().keys() - before.keys()


def test_tracebacks_show_helpers() -> None:
    ft = new_function([ListType(WIDE)])

    guest = FakeGuest(size=MEGABYTE)
    core: list[Any] = []
    lift(ft, FakeFunc(lambda *given: core.extend(given)), Options(), guest.binding())([HEAVY[1][1]])
    _, call = lower(ft, lambda x: None, Options(), guest.binding())
    guest.memory.bytes[core[0]] = 0xFF
    with pytest.raises(Trap) as raised:
        call(*core)
    shown = "".join(traceback.format_exception(raised.value))
    assert "bad_discriminant()" in shown


def test_threads_that_call_it_first_at_once() -> None:
    ft = new_function([ListType(WIDE)])
    starts, failures = threading.Barrier(4), list[BaseException]()

    def use() -> None:
        try:
            starts.wait()
            assert round_trip(ft, [[HEAVY[1][1]]]) == [[HEAVY[1][1]]]
        except BaseException as error:  # noqa: BLE001  told where it is looked at
            failures.append(error)

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


# ---- what is refused ------------------------------------------------------------------------------------------------


def test_more_parts_of_which_none_is_like_another() -> None:
    t = TupleType(tuple(different(10_000)))
    for ft in (new_function([t]), new_function([ListType(t)]), FuncType((), OptionType(t))):
        with pytest.raises(UnsupportedFeatureError, match="values of types with so many parts"):
            lift(ft, FakeFunc(lambda *core: None), Options(), binding())
        with pytest.raises(UnsupportedFeatureError, match="values of types with so many parts"):
            lower(ft, lambda *given: None, Options(), binding())


def test_more_cases_than_code_is_written_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wippywasm.abi.source.MAX_SIZE", 20_000)
    t = ListType(of_cases([*different(1_000), TupleType((U8,) * 250)]))
    call = lift(new_function([t]), FakeFunc(lambda *core: None), Options(), binding())
    some = [Variant(f"c-{i}", (1,) * 7) for i in (0, 500, 999)]
    for many in ([Variant("c-1000", (1,) * 250)], [Variant(f"c-{i}", (1,) * 7) for i in range(1_000)]):
        with pytest.raises(UnsupportedFeatureError, match="values of types with so many parts"):
            call(many)
        call(some)
