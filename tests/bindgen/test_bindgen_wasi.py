"""The packages of WASI's own worlds: commands run through one, hosts and handlers work with its classes."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.wasi import wasi_guests
from wippywasm import Wasi, load
from wippywasm.engine import wat2wasm
from wippywasm.engine.port import Engine
from wippywasm.errors import GuestExit
from wippywasm.wasi import Capture
from wippywasm.wit import World, host_packages, parse_text

TOUR = Path(__file__).resolve().parents[1] / "guests/tour.component.wasm"
Make = Callable[[World], ModuleType]


def world(name: str) -> World:
    """One of the worlds that come with the runtime."""
    [found] = [w for w in host_packages().worlds if w.id.startswith(f"{name}@")]
    return found


def test_a_command_runs_through_the_package_of_its_world(make: Make, engine: Engine) -> None:
    package = make(world("wasi:cli/command"))
    out = Capture()
    wasi = Wasi(args=["tour", "arguments", "a b"], stdout=out)
    with package.instantiate(load(TOUR, engine=engine), wasi=wasi) as command:
        command.run.run()
    assert out.text == "a b\n"
    wasi = Wasi(args=["tour", "nothing"])
    with package.instantiate(load(TOUR, engine=engine), wasi=wasi) as command, pytest.raises(GuestExit) as ended:
        command.run.run()
    assert ended.value.code == 1


CLOCK = """(module
  (import "wasi:clocks/wall-clock@{v}" "now" (func $now (param i32)))
  (memory (export "memory") 1)
  (func (export "run") (result i64)
    (call $now (i32.const 64))
    (i64.add (i64.load (i32.const 64)) (i64.load32_u (i32.const 72)))))"""


def test_a_host_of_an_interface_gives_objects_of_its_classes(make: Make, engine: Engine) -> None:
    text = wasi_guests.world("include wasi:cli/imports@{v}; export run: func() -> u64;")
    package = make(parse_text(text).world())
    clock = importlib.import_module(f"{package.__name__}.imports.wall_clock")
    component = load(wat2wasm(CLOCK.replace("{v}", "0.2.12")), wit=package.BINDINGS.wit, engine=engine)
    served = {"wasi:clocks/wall-clock": {"now": lambda: clock.Datetime(40, 2)}}
    with package.instantiate(component, served, undeclared="deny") as guest:
        assert guest.run() == 42


HANDLER = """(module
  (import "wasi:http/types@0.2.12" "[method]incoming-request.method" (func $method (param i32 i32)))
  (import "wasi:http/types@0.2.12" "[resource-drop]incoming-request" (func $drop-request (param i32)))
  (import "wasi:http/types@0.2.12" "[resource-drop]response-outparam" (func $drop-response (param i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 128))
  (func (export "wasi:http/incoming-handler@0.2.12#handle") (param i32 i32)
    (call $method (local.get 0) (i32.const 64))
    (if (i32.ne (i32.load8_u (i32.const 64)) (i32.const 2)) (then unreachable))
    (call $drop-request (local.get 0))
    (call $drop-response (local.get 1))))"""


def test_a_handler_gets_resources_that_python_implements(make: Make, engine: Engine) -> None:
    package = make(world("wasi:http/proxy"))
    types = importlib.import_module(f"{package.__name__}.imports.types")
    asked = []

    class Request:
        def method(self) -> Any:
            asked.append(self)
            return types.MethodPost()

    class Response:
        pass

    component = load(wat2wasm(HANDLER), wit=package.BINDINGS.wit, engine=engine)
    served = {"wasi:http/types": {"incoming-request": Request, "response-outparam": Response}}
    request = Request()
    with package.instantiate(component, served, undeclared="deny") as proxy:
        proxy.incoming_handler.handle(request, Response())
    assert asked == [request]
