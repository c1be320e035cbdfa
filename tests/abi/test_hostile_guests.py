"""Guests that lie, on every engine: what they return, where they point, and what their `realloc` gives are drawn.

Each call ends as `abi/reference.py` says, in a value or in a trap of ours, and only the guest's own memory changes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.abi import abi_types
from tests.abi.abi_fakes import FakeGuest
from tests.abi.test_against_reference import (
    NUMBERS,
    function_of,
    hostile_memory,
    outcome,
    reference_lift,
    reference_lift_result,
)
from wippywasm.abi import Binding, ComponentInstance, Options, lift, lower
from wippywasm.abi.reference_context import LiftLowerContext
from wippywasm.abi.reference_flat import CoreValueIter, lower_flat_values, wrap
from wippywasm.core import CoreFuncType
from wippywasm.engine import wat2wasm
from wippywasm.engine.batch import Page, batched_realloc
from wippywasm.engine.port import CoreFunc, CoreMemory, Engine
from wippywasm.errors import Trap
from wippywasm.layout import MAX_FLAT_PARAMS, MAX_FLAT_RESULTS, flatten_functype
from wippywasm.model import FuncType, ListType, ValType

SETTINGS = settings(
    max_examples=30,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
    report_multiple_bugs=False,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
ENCODINGS = st.sampled_from(abi_types.ENCODINGS)
TYPES = st.lists(abi_types.TYPES, min_size=1, max_size=3)
ALLOCATED = TYPES.map(lambda types: [ListType(types[0]), *types[1:]])
AREAS = st.one_of(NUMBERS, st.integers(0, 1000).map(lambda p: p * 8))
PAGE = 65536
BYSTANDER = '(module (memory (export "memory") 1) (data (i32.const 0) "\\aa\\55\\aa\\55"))'
SCRIBBLED = 4096
"""How many bytes from the start of its memory a `realloc` that scribbles fills."""

Lie = tuple[str, int]
LIES = st.lists(
    st.tuples(
        st.sampled_from(["give"] * 5 + ["honest", "grow", "scribble", "trap"]),
        st.one_of(
            st.integers(64, 60000).map(lambda p: p & ~7),
            NUMBERS,
            st.integers(PAGE - 80, PAGE),
            st.integers(PAGE, 3 * PAGE),
        ),
    ),
    max_size=6,
)
ACTIONS = {
    "give": "",
    "honest": "",
    "grow": "(drop (memory.grow (i32.const 1)))",
    "scribble": f"(memory.fill (i32.const 0) (i32.const 0x5a) (i32.const {SCRIBBLED}))",
    "trap": "unreachable",
}


def lying_realloc(lies: list[Lie]) -> str:
    """A `realloc` whose first calls do what they are told; those after bump a pointer."""
    cases = ""
    for n, (action, value) in enumerate(lies):
        gives = "" if action in ("honest", "trap") else f"(return (i32.const {wrap(value, 'i32')}))"
        cases += f"(if (i32.eq (local.get $n) (i32.const {n})) (then {ACTIONS[action]} {gives}))"
    return f"""(global $calls (export "calls") (mut i32) (i32.const 0)) (global $top (mut i32) (i32.const 8192))
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (local $n i32)
        (local.set $n (global.get $calls))
        (global.set $calls (i32.add (local.get $n) (i32.const 1)))
        {cases}
        (global.set $top (i32.and (i32.add (global.get $top) (i32.sub (local.get 2) (i32.const 1)))
                                  (i32.sub (i32.const 0) (local.get 2))))
        (local.set $n (global.get $top))
        (global.set $top (i32.add (local.get $n) (local.get 3)))
        (local.get $n))"""


class Liar(FakeGuest):
    """The same in Python, for the reference. `ranges` are where it said that the host may write."""

    def __init__(self, lies: list[Lie]) -> None:
        super().__init__()
        self.lies = iter(lies)
        self.count = 0
        self.top = 8192
        self.ranges: list[tuple[int, int]] = []

    def realloc(self, old: int, old_size: int, align: int, size: int) -> int:
        self.count += 1
        action, pointer = next(self.lies, ("honest", 0))
        if action == "trap":
            raise Trap("unreachable", code="unreachable")
        if action == "honest":
            pointer = (self.top + align - 1) & -align
            self.top = pointer + size
        elif action == "grow":
            self.memory.grow(1)
        elif action == "scribble":
            self.ranges.append((0, SCRIBBLED))
        self.ranges.append((pointer, size))
        return wrap(pointer, "i32")  # type: ignore[no-any-return]


class Guest:
    """An instance of a hostile module, next to a bystander in the same store."""

    def __init__(self, engine: Engine, text: str, host: Any = None) -> None:
        self.store = engine.new_store()
        self.bystander: Any = self.store.instantiate(engine.compile(wat2wasm(BYSTANDER)), [])
        imports = [] if host is None else [self.store.host_func(*host)]
        self.core: Any = self.store.instantiate(engine.compile(wat2wasm(text)), imports)
        memory, realloc = self.core.export("memory"), self.core.export("realloc")
        assert isinstance(memory, CoreMemory)
        assert isinstance(realloc, CoreFunc)
        self.memory = memory
        batch = batched_realloc(Page(self.store), realloc)
        self.binding = Binding(ComponentInstance(), memory, realloc, None, {}, batch)

    @property
    def calls(self) -> int:
        """How often its `realloc` has been called."""
        calls: int = self.core.export("calls").get()
        return calls


@contextmanager
def hostile(engine: Engine, text: str, host: Any = None) -> Iterator[Guest]:
    """A guest, closed in the end; its bystander must not have changed."""
    guest = Guest(engine, text, host)
    before = bytes(guest.bystander.export("memory").view())
    yield guest
    assert bytes(guest.bystander.export("memory").view()) == before
    guest.store.close()


def constant(type: str, bits: int) -> str:
    """An instruction that gives those bits."""
    width = type[1:]
    integer = f"(i{width}.const {bits & ((1 << int(width)) - 1)})"
    return integer if type[0] == "i" else f"({type}.reinterpret_i{width} {integer})"


def core_value(type: str, bits: int) -> Any:
    """The same as the port has it."""
    width = int(type[1:])
    bits &= (1 << width) - 1
    if type[0] == "i":
        return wrap(bits, type)
    return struct.unpack("<f" if width == 32 else "<d", bits.to_bytes(width // 8, "little"))[0]


def ended(run: Callable[[], Any]) -> Any:
    """What a call gives, or the kind of its trap."""
    try:
        return run()
    except Trap as trap:
        return f"trap: {trap.code}"


def drawn_bits(data: st.DataObject, types: tuple[str, ...]) -> list[int]:
    return [data.draw(st.one_of(NUMBERS, st.integers(0, 2**64 - 1))) for _ in types]


@SETTINGS
@given(data=st.data(), t=abi_types.TYPES, encoding=ENCODINGS)
def test_results(engine: Engine, data: st.DataObject, t: ValType, encoding: str) -> None:
    memory, ft = hostile_memory(data), FuncType((), t)
    [type] = flatten_functype(ft, "lift").results
    [bits] = drawn_bits(data, (type,))
    text = f"""(module (memory (export "memory") 1) {lying_realloc([])}
      (func (export "give") (result {type}) {constant(type, bits)}))"""
    with hostile(engine, text) as guest:
        guest.memory.view()[:] = memory
        ours = outcome(lift(ft, guest.core.export("give"), Options(encoding), guest.binding))
        assert bytes(guest.memory.view()) == memory
    fake = FakeGuest()
    fake.memory.bytes[:] = memory
    assert abi_types.same(ours, outcome(lambda: reference_lift_result(fake, t, core_value(type, bits), encoding)))


@SETTINGS
@given(data=st.data(), types=TYPES, encoding=ENCODINGS)
def test_arguments_for_the_host(engine: Engine, data: st.DataObject, types: list[ValType], encoding: str) -> None:
    memory, ft = hostile_memory(data), function_of(types)
    core = flatten_functype(ft, "lower")
    bits = drawn_bits(data, core.params)
    got: list[Any] = []
    late: list[Any] = []
    text = f"""(module (import "host" "f" (func $f (param {" ".join(core.params)})))
      (memory (export "memory") 1) {lying_realloc([])}
      (func (export "go") (call $f {" ".join(map(constant, core.params, bits))})))"""
    with hostile(engine, text, (core, lambda *args: late[0](*args))) as guest:
        guest.memory.view()[:] = memory
        late.append(lower(ft, lambda *args: got.extend(args), Options(encoding), guest.binding)[1])
        ours = outcome(lambda: (guest.core.export("go").call(), got)[1])
        assert bytes(guest.memory.view()) == memory
    fake = FakeGuest()
    fake.memory.bytes[:] = memory
    values = [core_value(t, b) for t, b in zip(core.params, bits)]
    expected = outcome(lambda: reference_lift(fake, types, values, encoding, MAX_FLAT_PARAMS))
    assert abi_types.same(ours, expected)


@SETTINGS
@given(data=st.data(), types=ALLOCATED, encoding=ENCODINGS, lies=LIES)
def test_a_realloc_that_lies(
    engine: Engine, data: st.DataObject, types: list[ValType], encoding: str, lies: list[Lie]
) -> None:
    values = [data.draw(abi_types.values(t)) for t in types]
    ft, got = function_of(types), list[Any]()
    type = CoreFuncType(flatten_functype(ft, "lift").params)
    with hostile(engine, f'(module (memory (export "memory") 1 8) {lying_realloc(lies)})') as guest:
        take: Any = guest.store.host_func(type, lambda *core: got.extend(core))
        ours = ended(lambda: (lift(ft, take, Options(encoding), guest.binding)(*values), got)[1])
        after, calls = bytes(guest.memory.view()), guest.calls
    liar = Liar(lies)
    cx = LiftLowerContext(liar.binding(), encoding)
    spec = [abi_types.to_spec(t, v, encoding) for t, v in zip(types, values)]
    theirs = ended(
        lambda: [wrap(v, t) for v, t in zip(lower_flat_values(cx, MAX_FLAT_PARAMS, spec, tuple(types)), type.params)]
    )
    assert calls == liar.count
    assert abi_types.same(ours, theirs), (ours, theirs)
    if not isinstance(ours, str):
        written = bytearray(len(after))
        for start, size in liar.ranges:
            written[start : start + size] = b"\1" * size
        assert not any(byte and not allowed for byte, allowed in zip(after, written))


@SETTINGS
@given(data=st.data(), t=abi_types.TYPES.map(ListType), encoding=ENCODINGS, lies=LIES, area=AREAS)
def test_a_realloc_that_lies_about_results_of_the_host(
    engine: Engine, data: st.DataObject, t: ValType, encoding: str, lies: list[Lie], area: int
) -> None:
    value, ft = data.draw(abi_types.values(t)), FuncType((), t)
    core = flatten_functype(ft, "lower")
    late: list[Any] = []
    results = f"(result {core.results[0]})" if core.results else ""
    params = "(param i32)" if core.params else ""
    text = f"""(module (import "host" "f" (func $f {params} {results}))
      (memory (export "memory") 1 8) {lying_realloc(lies)}
      (func (export "go") {results} (call $f {constant("i32", area) if core.params else ""})))"""
    with hostile(engine, text, (core, lambda *args: late[0](*args))) as guest:
        late.append(lower(ft, lambda: value, Options(encoding), guest.binding)[1])
        ours, calls = ended(guest.core.export("go").call), guest.calls
    liar = Liar(lies)
    cx = LiftLowerContext(liar.binding(), encoding)
    spec = abi_types.to_spec(t, value, encoding)
    out = iter([area])
    theirs = ended(lambda: lower_result(cx, spec, t, out if core.params else None))
    assert calls == liar.count
    assert isinstance(ours, str) == isinstance(theirs, str), (ours, theirs)
    if isinstance(ours, str):
        assert ours == theirs
    if core.results:
        [type] = core.results
        assert isinstance(ours, str) or abi_types.same(ours, wrap(theirs[0], type))


def lower_result(cx: LiftLowerContext, value: Any, t: ValType, area: Iterator[int] | None) -> list[Any]:
    """A result as the reference lowers it."""
    out = None if area is None else CoreValueIter(area)
    return lower_flat_values(cx, MAX_FLAT_RESULTS, [value], (t,), out)
