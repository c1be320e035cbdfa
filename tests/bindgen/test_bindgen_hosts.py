"""Imports that Python serves with the classes of a generated package, on every engine."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from wippywasm import load
from wippywasm.engine import wat2wasm
from wippywasm.engine.port import Engine
from wippywasm.errors import LinkError, ValueMismatchError, WitError
from wippywasm.wit import World, parse_text

Make = Callable[[World], ModuleType]
WIT = """package test:hosts;
interface kv {
  record entry { key: string, value: list<u8> }
  enum mode { read, write }
  variant fault { gone, locked(mode) }
  resource bucket {
    constructor(name: string);
    get: func(key: string) -> result<entry, fault>;
  }
}
world uses { import kv; export run: func(name: string, key: string) -> result<string, string>; }
"""
WAT = """(module
  (import "test:hosts/kv" "[constructor]bucket" (func $new (param i32 i32) (result i32)))
  (import "test:hosts/kv" "[method]bucket.get" (func $get (param i32 i32 i32 i32)))
  (import "test:hosts/kv" "[resource-drop]bucket" (func $drop (param i32)))
  (memory (export "memory") 1)
  (global $top (mut i32) (i32.const 8192))
  (data (i32.const 512) "gone")
  (data (i32.const 520) "locked for reading")
  (data (i32.const 544) "locked for writing")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (global.set $top (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
    (global.get $top)
    (global.set $top (i32.add (global.get $top) (local.get 3))))
  (func $fault
    (if (i32.load8_u (i32.const 132))
      (then
        (i32.store (i32.const 68) (i32.add (i32.const 520) (i32.mul (i32.const 24) (i32.load8_u (i32.const 133)))))
        (i32.store (i32.const 72) (i32.const 18)))
      (else (i32.store (i32.const 68) (i32.const 512)) (i32.store (i32.const 72) (i32.const 4)))))
  (func (export "run") (param i32 i32 i32 i32) (result i32) (local $bucket i32)
    (local.set $bucket (call $new (local.get 0) (local.get 1)))
    (call $get (local.get $bucket) (local.get 2) (local.get 3) (i32.const 128))
    (call $drop (local.get $bucket))
    (i32.store (i32.const 64) (i32.load8_u (i32.const 128)))
    (if (i32.load8_u (i32.const 128))
      (then (call $fault))
      (else
        (i32.store (i32.const 68) (i32.load (i32.const 140)))
        (i32.store (i32.const 72) (i32.load (i32.const 144)))))
    (i32.const 64)))"""


def serving(kv: Any, *, waits: bool) -> Any:
    """An implementation of `kv` with the classes of its package."""

    class Bucket:
        def __init__(self, name: str) -> None:
            self.name = name

        def find(self, key: str) -> Any:
            if key == "gone":
                raise WitError(kv.FaultGone())
            if key == "locked":
                raise WitError(kv.FaultLocked(kv.Mode.WRITE))
            return kv.Entry(key, key if key == "text" else f"{self.name}/{key}".encode())

        def get(self, key: str) -> Any:
            return self.find(key)

    class Waiting(Bucket):
        async def get(self, key: str) -> Any:
            await asyncio.sleep(0)
            return self.find(key)

    return {"bucket": Waiting if waits else Bucket}


@pytest.fixture(scope="module")
def uses(make: Make) -> ModuleType:
    return make(parse_text(WIT).world())


@pytest.fixture(scope="module")
def kv(uses: ModuleType) -> Any:
    return importlib.import_module(f"{uses.__name__}.imports.kv")


def outcome(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except WitError as error:
        return "err", error.payload


CALLS = [("key", "home/key"), ("gone", ("err", "gone")), ("locked", ("err", "locked for writing"))]


@pytest.mark.parametrize(("key", "expected"), CALLS)
def test_hosts_give_objects_of_the_classes(
    uses: ModuleType, kv: Any, engine: Engine, key: str, expected: object
) -> None:
    component = load(wat2wasm(WAT), wit=uses.BINDINGS.wit, engine=engine)
    with uses.instantiate(component, {"test:hosts/kv": serving(kv, waits=False)}) as world:
        assert outcome(lambda: world.run("home", key)) == expected


class Factories:
    """Serves `kv` as its generated protocol has it: the class is a property, which may give any maker of objects."""

    def __init__(self, maker: Any) -> None:
        self.maker = maker

    @property
    def Bucket(self) -> Any:  # noqa: N802  (the resource's name)
        return self.maker


@pytest.mark.parametrize(("key", "expected"), CALLS)
def test_resources_may_come_from_a_factory(
    uses: ModuleType, kv: Any, engine: Engine, key: str, expected: object
) -> None:
    component = load(wat2wasm(WAT), wit=uses.BINDINGS.wit, engine=engine)
    cls = serving(kv, waits=False)["bucket"]
    with uses.instantiate(component, {"test:hosts/kv": Factories(lambda name: cls(name))}) as world:
        assert outcome(lambda: world.run("home", key)) == expected


STATIC_WIT = """package test:statics;
interface kv { resource bucket { open: static func() -> bucket; size: func() -> u32; } }
world uses { import kv; export run: func() -> u32; }
"""
STATIC_WAT = """(module
  (import "test:statics/kv" "[static]bucket.open" (func $open (result i32)))
  (import "test:statics/kv" "[method]bucket.size" (func $size (param i32) (result i32)))
  (func (export "run") (result i32) (call $size (call $open))))"""


def test_a_maker_may_have_nothing_but_static_functions(make: Make, engine: Engine) -> None:
    """That is all its protocol asks for."""

    class Small:
        def size(self) -> int:
            return 7

    class Maker:
        def open(self) -> Small:
            return Small()

    uses = make(parse_text(STATIC_WIT).world())
    component = load(wat2wasm(STATIC_WAT), wit=uses.BINDINGS.wit, engine=engine)
    with uses.instantiate(component, {"test:statics/kv": Factories(Maker())}) as world:
        assert world.run() == 7


class Bare:
    """A class without the methods."""

    def __init__(self, name: str) -> None:
        self.name = name


@pytest.mark.parametrize(
    ("maker", "words"),
    [(lambda: None, "called with 1 argument"), (3, "must be callable, got"), (Bare, "has no 'get'")],
)
def test_what_makes_no_resources_is_refused(uses: ModuleType, engine: Engine, maker: Any, words: str) -> None:
    component = load(wat2wasm(WAT), wit=uses.BINDINGS.wit, engine=engine)
    with pytest.raises(LinkError, match=words):
        uses.instantiate(component, {"test:hosts/kv": Factories(maker)})


@pytest.mark.parametrize(("key", "expected"), CALLS)
def test_hosts_may_wait(uses: ModuleType, kv: Any, engine: Engine, key: str, expected: object) -> None:
    component = load(wat2wasm(WAT), wit=uses.BINDINGS.wit, engine=engine)

    async def run() -> Any:
        with uses.instantiate(component, {"test:hosts/kv": serving(kv, waits=True)}) as world:
            return await world.run_async("home", key)

    assert outcome(lambda: asyncio.run(run())) == expected


def test_what_a_host_gives_has_to_fit(uses: ModuleType, kv: Any, engine: Engine) -> None:
    component = load(wat2wasm(WAT), wit=uses.BINDINGS.wit, engine=engine)
    with (
        uses.instantiate(component, {"test:hosts/kv": serving(kv, waits=False)}) as world,
        pytest.raises(ValueMismatchError, match=r"bucket\.get\.ok\.value: expected list<u8>, got 'text'"),
    ):
        world.run("home", "text")


def test_an_import_that_nothing_serves_is_refused_or_denied(uses: ModuleType, engine: Engine) -> None:
    component = load(wat2wasm(WAT), wit=uses.BINDINGS.wit, engine=engine)
    with pytest.raises(LinkError, match="test:hosts/kv"):
        uses.instantiate(component)
    with uses.instantiate(component, undeclared="deny") as world:
        assert world.guest.usable
