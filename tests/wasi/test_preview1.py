"""Preview 1 as programs see it: arguments, clocks, standard streams; how modules that import it are linked."""

from __future__ import annotations

import os
import random
import threading

import pytest

from tests.wasi.conftest import Load
from tests.wasi.wasi_guests import OK, Start, preview1_module
from wippywasm.errors import GuestExit, LinkError, PermissionDeniedError, Trap
from wippywasm.wasi import Capture, FakeClock, Wasi
from wippywasm.wasi.preview1.codes import ERRNO

# ---- what a program starts with


def test_arguments_and_environment(start: Start) -> None:
    guest = start(args=["prog", "grüße", ""], env={"A": "1", "B": "x=y"})
    assert guest.call("args_sizes_get", 0, 4) == OK
    assert (guest.u32(0), guest.u32(4)) == (3, 5 + 8 + 1)
    assert guest.call("args_get", 16, 100) == OK
    assert [guest.u32(16 + 4 * i) for i in range(3)] == [100, 105, 113]
    assert guest.read(100, 14) == "prog\0grüße\0\0".encode()
    assert guest.call("environ_sizes_get", 0, 4) == OK
    assert (guest.u32(0), guest.u32(4)) == (2, 4 + 6)
    assert guest.call("environ_get", 16, 200) == OK
    assert guest.read(guest.u32(20), 6) == b"B=x=y\0"


def test_clocks_and_random(start: Start) -> None:
    guest = start(clock=FakeClock(monotonic=5, wall=2**60), random=9)
    for id, now in ((0, 2**60), (1, 5)):
        assert guest.call("clock_time_get", id, 1, 8) == OK
        assert guest.u64(8) == now
        assert guest.call("clock_res_get", id, 8) == OK
        assert guest.u64(8) == 1
    assert guest.call("clock_time_get", 2, 1, 8) == ERRNO["badf"]
    assert guest.call("clock_res_get", 77, 8) == ERRNO["inval"]
    assert guest.call("random_get", 8, 20) == OK
    assert guest.read(8, 20) == random.Random(9).randbytes(20)
    guest.call("memory_grow", 300)
    assert guest.call("random_get", 8, (1 << 24) + 1) == ERRNO["inval"]


@pytest.mark.parametrize("code", [0, 1, 77, -1])
def test_exit_codes(start: Start, code: int) -> None:
    with pytest.raises(GuestExit) as ended:
        start().call("proc_exit", code)
    assert ended.value.code == code & 0xFFFF_FFFF


def test_what_is_not_there(start: Start) -> None:
    guest = start()
    assert guest.call("proc_raise", 9) == ERRNO["notsup"]
    assert guest.call("sched_yield") == OK
    assert guest.call("sock_accept", 0, 0, 0) == ERRNO["notsock"]
    assert guest.call("sock_recv", 1, 0, 0, 0, 0, 0) == ERRNO["notsock"]
    assert guest.call("sock_send", 2, 0, 0, 0, 0) == ERRNO["notsock"]
    assert guest.call("sock_shutdown", 3, 0) == ERRNO["badf"]


# ---- streams


def test_standard_streams(start: Start) -> None:
    out, err = Capture(), Capture()
    guest = start(stdin=b"some input", stdout=out, stderr=err)
    assert guest.call("fd_read", 0, *guest.vector((100, 4), (200, 2)), 16) == OK
    assert (guest.u32(16), guest.read(100, 4), guest.read(200, 2)) == (6, b"some", b" i")
    assert guest.call("fd_read", 0, *guest.vector((100, 100)), 16) == OK
    assert guest.u32(16) == 4
    assert guest.call("fd_read", 0, *guest.vector((100, 100)), 16) == OK
    assert guest.u32(16) == 0
    guest.write(300, b"outerr")
    assert guest.call("fd_write", 1, *guest.vector((300, 3)), 16) == OK
    assert guest.call("fd_write", 2, *guest.vector((303, 2), (0, 0), (305, 1)), 16) == OK
    assert (out.data, err.data, guest.u32(16)) == (b"out", b"err", 3)


def test_a_closed_stream_is_gone(start: Start) -> None:
    guest = start()
    assert guest.call("fd_close", 1) == OK
    assert guest.call("fd_close", 1) == ERRNO["badf"]
    assert guest.call("fd_write", 1, 0, 0, 16) == ERRNO["badf"]


def test_output_that_fails_is_an_error_and_no_trap(start: Start) -> None:
    guest = start(stdout=Capture(limit=4))
    guest.write(300, b"123456")
    assert guest.call("fd_write", 1, *guest.vector((300, 4)), 16) == OK
    assert guest.call("fd_write", 1, *guest.vector((300, 1)), 16) == ERRNO["nospc"]


def test_reading_waits_for_a_pipe(start: Start) -> None:
    r, w = os.pipe()
    try:
        with open(r, "rb", buffering=0) as file:
            guest = start(stdin=file)
            threading.Timer(0.02, os.write, (w, b"abc")).start()
            assert guest.call("fd_read", 0, *guest.vector((100, 100)), 16) == OK
            assert guest.read(100, guest.u32(16)) == b"abc"
    finally:
        os.close(w)


# ---- linking


def test_a_module_that_declares_other_types_is_refused(load: Load) -> None:
    text = '(module (import "wasi_snapshot_preview1" "fd_write" (func (param i64) (result i32))))'
    with pytest.raises(LinkError, match=r"fd_write' is declared as \(i64\) -> i32"):
        load(text).instantiate(wasi=Wasi())


def test_a_function_may_be_imported_twice(load: Load) -> None:
    """As Go's programs do."""
    text = """(module
      (import "wasi_snapshot_preview1" "sched_yield" (func $one (result i32)))
      (import "wasi_snapshot_preview1" "sched_yield" (func $two (result i32)))
      (func (export "go") (result i32) (i32.or (call $one) (call $two))))"""
    with load(text, wit="go: func() -> s32;").instantiate(Wasi().imports(["wasi1"])) as guest:
        assert guest.call("go") == OK


def test_a_module_without_memory_traps_when_it_needs_one(load: Load) -> None:
    text = """(module (import "wasi_snapshot_preview1" "random_get" (func $r (param i32 i32) (result i32)))
      (func (export "f") (result i32) (call $r (i32.const 0) (i32.const 1))))"""
    with load(text).instantiate(wasi=Wasi()) as guest, pytest.raises(Trap, match="exports no memory"):
        guest.call("f")


def test_without_the_grant_all_of_it_is_denied(load: Load) -> None:
    with load(preview1_module()).instantiate(Wasi().imports(["wasi:cli", "wasi:io"]), undeclared="deny") as guest:
        with pytest.raises(PermissionDeniedError) as denied:
            guest.call("sched_yield")
        assert denied.value.details["grant"] == "wasi1"
