"""Classes of the same form: each value is of the class that its function names, and none is kept."""

from __future__ import annotations

import gc
import importlib
import sys
import weakref
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from wippywasm.engine.port import Engine
from wippywasm.wit import World, parse_text

Make = Callable[[World], ModuleType]
TWINS = """
package my:twins;
world w {
  enum light { low, high }
  enum price { low, high }
  flags read { one, two }
  flags write { one, two }
  record point { x: light }
  record place { x: light }
  variant sign { plus(u8), none }
  variant mark { plus(u8), none }
  export lights: func() -> list<light>;
  export prices: func() -> list<price>;
  export a: func() -> light;
  export b: func() -> price;
  export c: func() -> read;
  export d: func() -> write;
  export e: func() -> point;
  export f: func() -> place;
  export g: func() -> option<light>;
  export h: func() -> option<price>;
  export i: func() -> sign;
  export j: func() -> mark;
}
"""
TWIN = """(module (memory (export "memory") 1) (data (i32.const 8) "\\10\\00\\00\\00\\02\\00\\00\\00\\00\\01\\01\\01")
  (func (export "a") (export "b") (export "c") (export "d") (export "e") (export "f") (result i32) i32.const 1)
  (func (export "lights") (export "prices") (result i32) i32.const 8)
  (func (export "g") (export "h") (result i32) i32.const 17)
  (func (export "i") (export "j") (result i32) i32.const 16))"""


@pytest.fixture(scope="module")
def twins(make: Make) -> ModuleType:
    return make(parse_text(TWINS).world())


def test_types_of_one_form_have_each_their_own_class(twins: ModuleType, engine: Engine) -> None:
    with twins.instantiate(TWIN, engine=engine) as world:
        assert world.a() is twins.Light.HIGH
        assert world.b() is twins.Price.HIGH
        assert {type(flag) for flag in world.c()} == {twins.Read}
        assert {type(flag) for flag in world.d()} == {twins.Write}
        assert (type(world.e()), type(world.f())) == (twins.Point, twins.Place)
        assert [world.lights(), world.prices()] == [list(twins.Light), list(twins.Price)]
        assert {type(x) for x in world.lights()} == {twins.Light}
        assert {type(x) for x in world.prices()} == {twins.Price}
        assert (world.g() is twins.Light.HIGH, world.h() is twins.Price.HIGH) == (True, True)
        assert (type(world.i()), type(world.j())) == (twins.SignPlus, twins.MarkPlus)


def test_packages_of_one_process_do_not_share_their_classes(make: Make, engine: Engine) -> None:
    source = '(module (func (export "f") (result i32) i32.const 1) (func (export "g") (param i32)))'
    for package in [make(parse_text(world).world()) for world in (_roles("first"), _roles("second"))]:
        with package.instantiate(source, engine=engine) as world:
            assert world.f() is package.Role.USER
            world.g(package.Role.USER)


def _roles(name: str) -> str:
    return f"""package my:{name}; world w {{ enum role {{ admin, user }}
        export f: func() -> role; export g: func(role: role); }}"""


BOTH = """
package my:both;
interface paint { enum color { red, green } mix: func(color: color) -> color; }
world w { import paint; export paint; }
"""
MIX = '(import "my:both/paint" "mix" (func $mix (param i32) (result i32)))'
MIXES = f'(module {MIX} (func (export "my:both/paint#mix") (param i32) (result i32) local.get 0 call $mix))'


def test_an_interface_has_other_classes_where_it_is_imported(
    make: Make, submodule: Callable[[ModuleType, str], ModuleType], engine: Engine
) -> None:
    both = make(parse_text(BOTH).world())
    imported, exported = submodule(both, "imports.paint").Color, submodule(both, "exports.paint").Color
    assert imported is not exported
    given: list[Any] = []

    class Paint:
        def mix(self, color: Any) -> Any:
            given.append(color)
            return imported.GREEN

    with both.instantiate(MIXES, {"my:both/paint": Paint()}, engine=engine) as world:
        assert world.paint.mix(exported.RED) is exported.GREEN
    assert given[0] is imported.RED


def test_classes_go_with_their_package(make: Make, engine: Engine) -> None:
    package = make(parse_text(TWINS.replace("my:twins", "my:gone")).world())
    with package.instantiate(TWIN, engine=engine) as world:
        assert world.b() is package.Price.HIGH
        assert type(world.f()) is package.Place
    classes = [weakref.ref(c) for c in (package.Light, package.Price, package.Write, package.Place, package.MarkPlus)]
    name = package.__name__
    for module in [m for m in sys.modules if m.partition(".")[0] == name]:
        del sys.modules[module]
    del package, world
    importlib.invalidate_caches()
    for _ in range(10):  # what has finalizers, as generated code has, frees what it leads to in a later round
        gc.collect()
    assert [c() for c in classes] == [None] * len(classes)
