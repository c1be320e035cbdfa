"""Calling what a guest exports: by name, as attributes, through bound callables; and what can go wrong."""

from __future__ import annotations

import gc
import threading
import weakref
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import wippywasm
from wippywasm import Guest, Ok
from wippywasm.errors import (
    ConflictError,
    InvalidError,
    MalformedError,
    NotFoundError,
    PoisonedError,
    ThreadError,
    Trap,
    UnavailableError,
    ValueMismatchError,
    WippyError,
    WitError,
)

CALCULATOR = """
(component
  (core module $m
    (memory (export "memory") 1)
    (global $count (mut i32) (i32.const 0))
    (func (export "compute") (param i32 i32) (result i32) (i32.mul (local.get 0) (local.get 1)))
    (func (export "bump") (result i32)
      (global.set $count (i32.add (global.get $count) (i32.const 1)))
      (global.get $count))
    (func (export "halve") (param i32) (result i32)
      (i32.store8 (i32.const 0) (i32.and (local.get 0) (i32.const 1)))
      (i32.store (i32.const 4) (select (local.get 0) (i32.shr_u (local.get 0) (i32.const 1))
        (i32.and (local.get 0) (i32.const 1))))
      (i32.const 0))
    (func (export "crash") unreachable)
    (func (export "out-of-bounds") (result i32) (i32.load (i32.const 0x7fffffff))))
  (core instance $i (instantiate $m))
  (func (export "compute") (param "a" s32) (param "b" s32) (result s32) (canon lift (core func $i "compute")))
  (func (export "bump") (result u32) (canon lift (core func $i "bump")))
  (func (export "halve") (param "n" u32) (result (result u32 (error u32)))
    (canon lift (core func $i "halve") (memory (core memory $i "memory"))))
  (func (export "crash") (canon lift (core func $i "crash")))
  (func $bump2 (result u32) (canon lift (core func $i "bump")))
  (instance $tools (export "bump-again" (func $bump2)))
  (export "a:b/tools@1.2.0" (instance $tools)))
"""


@pytest.fixture
def guest(load: Any) -> Any:
    with load(CALCULATOR).instantiate() as guest:
        yield guest


def test_three_ways_to_call(guest: Guest) -> None:
    assert guest.call("compute", 6, 7) == 42
    assert guest.exports.compute(6, -7) == -42
    compute = guest.func("compute")
    assert compute(2, 3) == 6
    assert guest.func("compute") is compute


def test_functions_of_an_exported_instance(guest: Guest) -> None:
    assert guest.call("a:b/tools@1.2.0#bump-again") == 1
    assert guest.call("tools#bump-again") == 2
    assert guest.exports["a:b/tools"].bump_again() == 3
    assert guest.exports["tools"].bump_again() == 4
    assert guest.exports["a:b/tools@1.0.0"].bump_again() == 5
    assert guest.call("bump") == 6


def test_the_component_tells_its_functions(guest: Guest) -> None:
    assert set(guest.component.functions) == {"compute", "bump", "halve", "crash", "a:b/tools@1.2.0#bump-again"}
    key, type = guest.component.find_function("tools#bump-again")
    assert key == "a:b/tools@1.2.0#bump-again"
    assert not type.params


def test_a_result_is_returned_or_raised(guest: Guest) -> None:
    assert guest.call("halve", 8) == 4
    with pytest.raises(WitError) as refused:
        guest.exports.halve(7)
    assert refused.value.payload == 7
    assert guest.call("halve", 10) == 5


def test_names_that_are_not_there(guest: Guest) -> None:
    with pytest.raises(NotFoundError, match="did you mean 'compute'"):
        guest.call("compite", 1, 2)
    with pytest.raises(AttributeError, match="did you mean 'compute'"):
        guest.exports.compite  # noqa: B018
    with pytest.raises(WippyError, match="did you mean 'compute'"):
        guest.exports.compite  # noqa: B018
    assert getattr(guest.exports, "compite", 5) == 5
    with pytest.raises(NotFoundError, match="exports nothing called 'a:b/tool'"):
        guest.exports["a:b/tool"]


@pytest.mark.parametrize(
    ("args", "message"),
    [((1,), "compute"), ((1, 2, 3), "compute"), ((1, "x"), "b: expected s32"), ((1, 2**31), "b: expected s32")],
)
def test_arguments_that_do_not_fit_leave_the_guest_as_it_was(guest: Guest, args: Any, message: str) -> None:
    with pytest.raises(ValueMismatchError, match=message):
        guest.call("compute", *args)
    assert guest.call("compute", 6, 7) == 42


def test_a_trap_poisons_the_guest(guest: Guest) -> None:
    with pytest.raises(Trap, match="unreachable") as trapped:
        guest.call("crash")
    assert trapped.value.code == "unreachable"
    for name in ("compute", "tools#bump-again"):
        with pytest.raises(PoisonedError, match="unreachable"):
            guest.call(name, *([1, 2] if name == "compute" else []))


def test_a_guest_says_whether_it_can_be_used_again(load: Any) -> None:
    guest = load(CALCULATOR).instantiate()
    assert guest.usable
    with pytest.raises(ValueMismatchError):
        guest.call("compute", "one", 2)
    assert guest.usable
    with pytest.raises(Trap):
        guest.call("crash")
    assert not guest.usable
    other = load(CALCULATOR).instantiate()
    other.close()
    assert not other.usable


def test_another_instance_is_not_poisoned(load: Any) -> None:
    component = load(CALCULATOR)
    with component.instantiate() as one, component.instantiate() as two:
        with pytest.raises(Trap):
            one.call("crash")
        assert two.call("bump") == 1


def test_instances_have_their_own_state(load: Any) -> None:
    linked = load(CALCULATOR).link()
    with linked.instantiate() as one, linked.instantiate() as two:
        assert [one.call("bump"), one.call("bump"), two.call("bump")] == [1, 2, 1]


def test_a_closed_guest_refuses_calls(load: Any) -> None:
    guest = load(CALCULATOR).instantiate()
    compute, attribute = guest.func("compute"), guest.exports.compute
    guest.close()
    guest.close()
    assert guest.closed
    for call in (compute, attribute, partial(guest.call, "compute")):
        with pytest.raises(UnavailableError, match="closed"):
            call(1, 2)


def test_a_guest_that_nobody_holds_is_collected(load: Any) -> None:
    guest = load(CALCULATOR).instantiate()
    assert guest.call("bump") == 1
    gone: list[bool] = []
    weakref.finalize(guest, gone.append, True)
    del guest
    gc.collect()
    assert gone == [True]


def test_a_guest_of_another_thread(load: Any, engine: str) -> None:
    guest = load(CALCULATOR).instantiate()
    bump = guest.func("bump")
    outcome: list[Any] = []

    def use() -> None:
        for action in (bump, guest.close):
            try:
                outcome.append(action())
            except ThreadError as error:
                outcome.append(error)

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    if guest.component.engine.thread_bound:
        assert all("belongs to another thread" in str(error) for error in outcome)
        assert guest.call("bump") == 1
        guest.close()
    else:
        assert outcome == [1, None]
        assert guest.closed


CALLBACK = """
(component
  (import "back" (func $back (result u32)))
  (core func $back (canon lower (func $back)))
  (core module $m
    (import "" "back" (func $back (result i32)))
    (func (export "run") (result i32) (call $back)))
  (core instance $i (instantiate $m (with "" (instance (export "back" (func $back))))))
  (func (export "run") (result u32) (canon lift (core func $i "run"))))
"""


def test_a_guest_can_not_be_entered_twice_nor_closed_while_it_runs(load: Any) -> None:
    seen: list[BaseException] = []
    guests: list[Guest] = []

    def back() -> int:
        for attempt in (lambda: guests[0].call("run"), guests[0].close):
            try:
                attempt()
            except (Trap, ConflictError) as error:
                seen.append(error)
        return 7

    with load(CALLBACK).instantiate({"back": back}) as running:
        guests.append(running)
        assert running.call("run") == 7
    assert [type(e) for e in seen] == [Trap, ConflictError]


@pytest.mark.parametrize("error", [RuntimeError("mine"), KeyboardInterrupt()])
def test_what_a_host_function_raises_comes_out_as_it_is(load: Any, error: BaseException) -> None:
    def back() -> int:
        raise error

    with load(CALLBACK).instantiate({"back": back}) as guest:
        with pytest.raises(type(error)) as raised:
            guest.call("run")
        assert raised.value is error
        with pytest.raises(PoisonedError):
            guest.call("run")


def test_a_start_function_that_traps_is_the_error_of_instantiation(load: Any) -> None:
    component = load("(component (core module $m (func $f unreachable) (start $f)) (core instance (instantiate $m)))")
    with pytest.raises(Trap, match="unreachable"):
        component.instantiate()


# ---- load ------------------------------------------------------------------------------------------------------------


def test_load_takes_paths_bytes_and_text(load: Any, tmp_path: Path) -> None:
    wasm = bytes(load(CALCULATOR).wasm)
    (tmp_path / "c.wasm").write_bytes(wasm)
    (tmp_path / "c.wat").write_text(f";; a calculator\n{CALCULATOR}")
    for source in (wasm, bytearray(wasm), memoryview(wasm), tmp_path / "c.wasm", str(tmp_path / "c.wat")):
        with load(source).instantiate() as guest:
            assert guest.call("compute", 6, 7) == 42


@pytest.mark.parametrize("source", [b"", b"\0asm", b"hello", b"\0asm\x07\0\0\0"])
def test_load_refuses_what_is_not_wasm(source: bytes) -> None:
    with pytest.raises(MalformedError):
        wippywasm.load(source)


def test_load_says_which_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"there is no file '.*nothing\.wasm'"):
        wippywasm.load(tmp_path / "nothing.wasm")
    with pytest.raises(InvalidError, match="can't read"):
        wippywasm.load(tmp_path)


def test_an_unknown_engine() -> None:
    with pytest.raises(NotFoundError, match="no engine is named 'wasmtim'"):
        wippywasm.load("(module)", engine="wasmtim")


def test_signatures_of_a_component_are_checked(load: Any) -> None:
    load(CALCULATOR, wit="compute: func(x: s32, y: s32) -> s32;\nhalve: func(n: u32) -> result<u32, u32>;")
    with pytest.raises(InvalidError) as refused:
        load(CALCULATOR, wit="compute: func(x: u32, y: s32) -> s32;\ncompote: func();")
    first, second = str(refused.value).splitlines()
    assert "'compute' is func(a: s32, b: s32) -> s32 in the component, but func(x: u32" in first
    assert "did you mean 'compute'" in second


def test_the_package_offers_its_names_lazily() -> None:
    assert wippywasm.Ok is Ok
    assert "load" in dir(wippywasm)
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        wippywasm.lode  # noqa: B018
