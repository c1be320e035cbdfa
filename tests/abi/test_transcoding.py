"""Strings between components whose encodings differ: each call of `realloc`, and where a wrong pointer ends it.

What the specification asks for is written out here as data, one row for each pair of encodings, and compared with what
guests see whose `realloc` moves, grows its memory, or gives wrong pointers, at any call.

Spec: `CanonicalABI.md`, `store_string_into_range` and what it calls.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.abi import abi_types
from tests.abi.abi_fakes import PAGE, FakeFunc, FakeGuest
from tests.engine.guests import build
from wippywasm.abi import Binding, ComponentInstance, Options, lift, lower
from wippywasm.abi.reference_flat import wrap
from wippywasm.engine.port import CoreMemory, Engine
from wippywasm.errors import Trap
from wippywasm.model import STRING, FuncType, Param

SETTINGS = settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
FT = FuncType((Param("s", STRING),))
TAG = 1 << 31
ENCODINGS = st.sampled_from([*abi_types.ENCODINGS, "latin1+utf16, tagged"])
TEXT = st.one_of(st.text("ab", max_size=5), st.text("abé", max_size=5), st.text("aé€\U0001f600", max_size=5))
POINTERS = st.lists(
    st.one_of(
        st.none(), st.integers(1024, 1100), st.integers(PAGE - 24, PAGE + 2), st.sampled_from([PAGE * 2 - 8, 2**32 - 2])
    ),
    max_size=3,
)

Step = tuple[int, int, int]
"""The size so far, the alignment, and the size asked for."""


def units_of(text: str, encoding: str) -> int:
    """How many code units a text has, without the tag."""
    if encoding == "utf8":
        return len(text.encode())
    return len(text) if is_latin1(text, encoding) else len(text.encode("utf-16-le")) // 2


def is_latin1(text: str, encoding: str) -> bool:
    """Whether a sender writes it so: what can be latin1 may be tagged all the same."""
    return encoding == "latin1+utf16" and max(text, default="") < "\u0100"


def steps(text: str, source: str, target: str) -> list[Step]:
    """What `realloc` is asked for."""
    n = units_of(text, source)
    wide = len(text.encode("utf-16-le"))
    narrow = max(text, default="") < "\u0100"
    if target == "utf8":
        size = len(text.encode())
        if source == "utf8" or size == len(text):
            return [(0, 1, n)]
        worst = (2 if is_latin1(text, source) else 3) * n
        return [(0, 1, n), (n, 1, worst), *[(worst, 1, size)] * (worst > size)]
    if target == "utf16":
        if source != "utf8":
            return [(0, 2, 2 * n)]
        return [(0, 2, 2 * n), *[(2 * n, 2, wide)] * (wide < 2 * n)]
    if is_latin1(text, source):
        return [(0, 2, n)]
    if source.startswith("latin1"):
        return [(0, 2, 2 * n), *[(2 * n, 1, n)] * narrow]
    if narrow:
        return [(0, 2, n), *[(n, 2, len(text))] * (len(text) < n)]
    return [(0, 2, n), (n, 2, 2 * n), *[(2 * n, 2, wide)] * (wide < 2 * n)]


def told_units(text: str, source: str, target: str) -> int:
    """The tagged code units that the callee gets."""
    wide = len(text.encode("utf-16-le")) // 2
    if target == "utf8":
        return len(text.encode())
    if target == "utf16":
        return wide
    return len(text) if max(text, default="") < "\u0100" else wide | TAG


class Guest:
    """A callee with a memory of the engine, whose `realloc` gives those pointers first; a None grows the memory."""

    def __init__(self, memory: CoreMemory, pointers: list[int | None]) -> None:
        self.memory = memory
        self.pointers = iter(pointers)
        self.calls: list[tuple[int, ...]] = []
        self.gave: list[int] = []
        self.sizes: list[int] = []
        self.top = 4096

    def realloc(self, old: int, *step: int) -> int:
        self.calls.append((old % 2**32, *step))
        pointer = next(self.pointers, 0)
        if pointer is None:
            self.memory.grow(1)
        if not pointer:
            pointer = self.top = self.top + 64
        self.gave.append(pointer)
        self.sizes.append(len(self.memory.view()))
        return wrap(pointer, "i32")  # type: ignore[no-any-return]


@SETTINGS
@given(text=TEXT, source=ENCODINGS, target=st.sampled_from(abi_types.ENCODINGS), pointers=POINTERS)
@pytest.mark.parametrize("from_host", [False, True])
def test_reallocs_and_traps(
    engine: Engine, text: str, source: str, target: str, pointers: list[int | None], from_host: bool
) -> None:
    root, store = ComponentInstance(), engine.new_store()
    memory: Any = build(store, '(module (memory (export "memory") 1 9))').export("memory")
    callee, got = Guest(memory, pointers), list[int]()
    binding = Binding(ComponentInstance(root), memory, FakeFunc(callee.realloc))
    if from_host:
        source = target
        call: Any = lambda: lift(FT, FakeFunc(lambda *core: got.extend(core)), Options(target), binding)(text)  # noqa: E731
    else:
        call = sender(root, text, source, lift_for(binding, got, target))
    wanted = steps(text, source, target)
    trap = None
    try:
        call()
    except Trap as error:
        trap = error.code
    assert callee.calls == [(old, *step) for old, step in zip([0, *callee.gave], wanted[: len(callee.calls)])]
    good = [
        not pointer % align and pointer + size <= end
        for pointer, end, (_, align, size) in zip(callee.gave, callee.sizes, wanted)
    ]
    assert good[:-1] == [True] * (len(good) - 1)
    if trap is None:
        assert len(good) == len(wanted)
        assert good[-1]
        assert [v % 2**32 for v in got] == [callee.gave[-1], told_units(text, source, target)]
    else:
        assert not good[-1]
        assert trap in ("unaligned pointer", "realloc out of bounds")
        assert got == []
    store.close()


def lift_for(binding: Binding, got: list[int], target: str) -> Any:
    return lambda caller: lift(FT, FakeFunc(lambda *core: got.extend(core)), Options(target), binding, caller=caller)


def sender(root: ComponentInstance, text: str, source: str, lifted: Any) -> Any:
    """What passes a text on, which lies in the memory of another component."""
    caller = FakeGuest(ComponentInstance(root))
    encoding = source.split(",")[0]
    latin1, units = is_latin1(text, source), units_of(text, source)
    data = text.encode("utf-8" if source == "utf8" else "latin-1" if latin1 else "utf-16-le")
    caller.memory.bytes[64 : 64 + len(data)] = data
    tag = TAG if encoding == "latin1+utf16" and not latin1 else 0
    core = lower(FT, lifted(caller.instance), Options(encoding), caller.binding())[1]
    return lambda: core(64, wrap(units | tag, "i32"))
