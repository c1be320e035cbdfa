"""Components in places where the specification is subtle: our answers and wasmtime's own, against what it says."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import wasmtime
from wasmtime import component as peer

from tests.instance.subtle_components import INVALID, ITSELF, TRAPS, VALID, Call
from wippywasm.engine import wat2wasm
from wippywasm.errors import BinaryError, PoisonedError, Trap


def _ours(component: Any, calls: list[Call]) -> list[Any]:
    with component.instantiate() as guest:
        return [_outcome((Trap, PoisonedError), partial(guest.call, name, *args)) for name, args, _ in calls]


def _theirs(text: str, calls: list[Call]) -> list[Any]:
    engine = wasmtime.Engine()
    store = wasmtime.Store(engine)
    instance = peer.Linker(engine).instantiate(store, peer.Component(engine, wat2wasm(text)))

    def call(name: str, *args: Any) -> Any:
        function = instance.get_func(store, name)
        assert function is not None
        value = function(store, *args)
        function.post_return(store)
        return value

    failures = (wasmtime.WasmtimeError, wasmtime.Trap, UnicodeDecodeError)
    return [_outcome(failures, partial(call, name, *args)) for name, args, _ in calls]


def _outcome(failures: tuple[type[Exception], ...], call: Any) -> Any:
    try:
        return call()
    except failures:
        return TRAPS


@pytest.mark.parametrize("name", VALID)
def test_what_runs(load: Any, name: str) -> None:
    text, calls = VALID[name]
    assert _ours(load(text), calls) == [result for _, _, result in calls]


@pytest.mark.parametrize("name", VALID)
def test_what_runs_on_wasmtime_itself(name: str) -> None:
    text, calls = VALID[name]
    assert _theirs(text, calls) == [result for _, _, result in calls]


def test_the_steps_of_a_call_of_oneself(load: Any) -> None:
    """Memory for the result comes before `post-return`; wasmtime does not let an instance call itself."""
    assert _ours(load(ITSELF), [("f", (), 12)]) == [12]


@pytest.mark.parametrize("name", INVALID)
def test_what_is_refused(load: Any, name: str) -> None:
    with pytest.raises(BinaryError):
        load(INVALID[name])
    with pytest.raises(wasmtime.WasmtimeError):
        peer.Component(wasmtime.Engine(), wat2wasm(INVALID[name]))
