"""Core modules with WIT signatures behave as components do."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest

from tests.binary.peaks import assert_peak, peak_of
from wippywasm import load
from wippywasm.binary import core_module
from wippywasm.engine import wat2wasm
from wippywasm.errors import InvalidError, NotFoundError, Trap, UnsupportedFeatureError, WitError

WORLD = """
package a:b@1.0.0;
interface log { write: func(text: string) -> u32; }
interface people {
  record person { name: string, age: u32 }
  older: func(people: list<person>, by: u32) -> list<person>;
  find: func(name: string) -> result<person, string>;
}
world w {
  import log;
  import ping: func() -> u32;
  export people;
  export shout: func(text: string) -> u32;
}
"""

# A bump allocator that never frees; `released` counts calls of post-return.
MODULE = """
(module
  (import "a:b/log@1.0.0" "write" (func $write (param i32 i32) (result i32)))
  (import "$root" "ping" (func $ping (result i32)))
  (memory (export "memory") 4)
  (global $next (mut i32) (i32.const 1024))
  (global $ready (mut i32) (i32.const 0))
  (global $released (mut i32) (i32.const 0))
  (func (export "_initialize") (global.set $ready (i32.const 1)))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (global.set $next (i32.and (i32.add (global.get $next) (i32.sub (local.get 2) (i32.const 1)))
      (i32.sub (i32.const 0) (local.get 2))))
    (global.get $next)
    (global.set $next (i32.add (global.get $next) (local.get 3))))
  (func (export "shout") (param i32 i32) (result i32)
    (i32.add (i32.mul (call $write (local.get 0) (local.get 1)) (global.get $ready)) (call $ping)))
  (func (export "a:b/people@1.0.0#older") (param $at i32) (param $n i32) (param $by i32) (result i32) (local $p i32)
    (i32.store (i32.const 8) (local.get $at))
    (i32.store (i32.const 12) (local.get $n))
    (loop $each
      (if (local.get $n) (then
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (local.set $p (i32.add (local.get $at) (i32.mul (local.get $n) (i32.const 12))))
        (i32.store offset=8 (local.get $p) (i32.add (i32.load offset=8 (local.get $p)) (local.get $by)))
        (br $each))))
    (i32.const 8))
  (func (export "cabi_post_a:b/people@1.0.0#older") (param i32)
    (global.set $released (i32.add (global.get $released) (i32.const 1))))
  (func (export "a:b/people@1.0.0#find") (param i32 i32) (result i32)
    (i32.store8 (i32.const 32) (i32.const 1))
    (i32.store (i32.const 36) (local.get 0))
    (i32.store (i32.const 40) (local.get 1))
    (i32.const 32))
  (func (export "released") (result i32) (global.get $released)))
"""


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def guest(load: Any, said: list[str]) -> Any:
    def write(text: str) -> int:
        said.append(text)
        return len(text)

    imports = {"a:b/log": {"write": write}, "ping": lambda: 1000}
    with load(MODULE, wit=WORLD).instantiate(imports) as guest:
        yield guest


def test_imports_and_exports_of_a_world(guest: Any, said: list[str]) -> None:
    assert guest.component.kind == "module"
    assert guest.component.imports == ("a:b/log@1.0.0", "ping")
    assert guest.call("shout", "hello") == 1005
    assert said == ["hello"]


@pytest.mark.parametrize("count", [0, 1, 5, 10_000])
def test_lists_of_records_with_batched_allocations(guest: Any, count: int) -> None:
    people = [{"name": "", "age": i} for i in range(count)]
    assert guest.exports["people"].older(people, 3) == [{"name": "", "age": i + 3} for i in range(count)]


def test_an_err_is_raised(guest: Any) -> None:
    with pytest.raises(WitError) as refused:
        guest.call("people#find", "Nobody")
    assert refused.value.payload == "Nobody"


def test_numbers_need_no_signatures(load: Any) -> None:
    wat = """(module (func (export "mix") (param i32 i64 f32 f64) (result f64)
      (f64.add (f64.add (f64.convert_i32_s (local.get 0)) (f64.convert_i64_s (local.get 1)))
               (f64.add (f64.promote_f32 (local.get 2)) (local.get 3)))))"""
    with load(wat).instantiate() as guest:
        assert guest.call("mix", -1, 2**40, 0.5, 0.25) == 2**40 - 0.25
        assert guest.exports.mix(1, 2, 3.0, 4.0) == 10.0


START = """
(module
  (import "$root" "say" (func $say (param i32 i32)))
  (memory (export "memory") 1)
  (func $start (call $say (i32.const 0) (i32.const 2)))
  (start $start))
"""


def test_a_start_function_can_not_call_what_needs_its_memory(load: Any) -> None:
    component = load(START, wit="import say: func(text: string);\nimport nothing: func();")
    with pytest.raises(Trap, match="while the module was being instantiated"):
        component.instantiate({"say": print})


WORLD_WITH_RESOURCES = """
package a:b@1.0.0;
interface blobs {
  resource blob { constructor(n: u32); size: func() -> u32; }
}
world w { import blobs; export blobs; }
"""

# Its own blobs are twice as large as the host's.
RESOURCES = """
(module
  (import "a:b/blobs@1.0.0" "[constructor]blob" (func $new (param i32) (result i32)))
  (import "a:b/blobs@1.0.0" "[method]blob.size" (func $size (param i32) (result i32)))
  (import "a:b/blobs@1.0.0" "[resource-drop]blob" (func $drop (param i32)))
  (import "[export]a:b/blobs@1.0.0" "[resource-new]blob" (func $own (param i32) (result i32)))
  (func (export "a:b/blobs@1.0.0#[constructor]blob") (param i32) (result i32) (call $own (call $new (local.get 0))))
  (func (export "a:b/blobs@1.0.0#[method]blob.size") (param i32) (result i32)
    (i32.mul (call $size (local.get 0)) (i32.const 2)))
  (func (export "a:b/blobs@1.0.0#[dtor]blob") (param i32) (call $drop (local.get 0))))
"""


class Blob:
    closed: list[int] = []

    def __init__(self, n: int) -> None:
        self.n = n

    def size(self) -> int:
        return self.n

    def close(self) -> None:
        self.closed.append(self.n)


def test_resources_imported_and_exported_by_a_core_module(load: Any) -> None:
    Blob.closed.clear()
    component = load(RESOURCES, wit=WORLD_WITH_RESOURCES)
    with component.instantiate({"a:b/blobs": {"Blob": Blob}}) as guest:
        with guest.exports["blobs"].Blob(21) as blob:
            assert blob.size() == 42
            assert Blob.closed == []
        assert Blob.closed == [21]


def test_an_export_that_can_not_be_called_says_why(load: Any) -> None:
    guest = load(
        '(module (func (export "f") (result v128) v128.const i32x4 0 0 0 0) (func (export "g")))'
    ).instantiate()
    with pytest.raises(NotFoundError, match=r"'f' can't be called: its core type is .* -> v128: values of type v128"):
        guest.call("f")
    signed = load('(module (func (export "f")) (func (export "g")))', wit="g: func();").instantiate()
    with pytest.raises(NotFoundError, match="the signatures in `wit` do not name"):
        signed.call("f")


def test_a_module_without_an_allocator_is_refused_when_it_is_loaded(load: Any) -> None:
    with pytest.raises(InvalidError, match="export a cabi_realloc of type"):
        load('(module (memory (export "memory") 1) (func (export "f") (param i32 i32)))', wit="f: func(a: string);")


def test_types_without_parts_are_refused_when_the_module_is_loaded(load: Any) -> None:
    with pytest.raises(InvalidError, match="a tuple without items"):
        load('(module (func (export "f")))', wit="f: func(a: tuple<>);")


MATCHING = """
(component
  (core module $a
    (type $s (sub (func (result anyref)))) (type $t (sub $s (func (result i31ref))))
    (elem declare func $f)
    (func $f (export "f") (type $t) (ref.i31 (i32.const 7)))
    (global (export "g") (ref $t) (ref.func $f)))
  (core module $b
    (type $s (sub (func (result anyref))))
    (import "a" "f" (func $f (type $s))) (import "a" "g" (global $g (ref null $s)))
    (func (export "f") (result i32) (i31.get_u (ref.cast i31ref (call $f))))
    (func (export "g") (result i32) (i31.get_u (ref.cast i31ref (call_ref $s (global.get $g))))))
  (core instance $a (instantiate $a))
  (core instance $b (instantiate $b (with "a" (instance $a))))
  (func (export "f") (result u32) (canon lift (core func $b "f")))
  (func (export "g") (result u32) (canon lift (core func $b "g"))))
"""


def test_core_items_of_subtypes(load: Any, engine: str) -> None:
    if engine == "wasmer":
        with pytest.raises(UnsupportedFeatureError, match="garbage collected types"):
            load(MATCHING).instantiate()
        return
    with load(MATCHING).instantiate() as guest:
        assert (guest.call("f"), guest.call("g")) == (7, 7)


def test_exports_that_nobody_asks_for_take_little_room(engine: str) -> None:
    """wasmer makes an object of each by itself."""
    exports = "".join(f'(export "f{i}" (func $f))' for i in range(3000))
    wasm = wat2wasm(f"(component (core module $m (func $f) {exports}) (core instance (instantiate $m)))")
    with mock.patch.object(core_module, "parse", wraps=core_module.parse) as parse:
        load(wasm, engine=engine).instantiate().close()
    assert parse.call_count == 1
    most = {"wasmtime": 100, "wasmer": 350}[engine]
    loaded = peak_of(lambda: load(wasm, engine=engine))
    assert_peak(lambda: load(wasm, engine=engine).instantiate().close(), loaded + 3000 * most)
