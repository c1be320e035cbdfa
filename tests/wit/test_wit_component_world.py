"""The world of a component, read from its decoded type."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import pytest

from tests.vectors import components, needs_vectors
from wippywasm import binary, engine
from wippywasm.binary import decode
from wippywasm.engine import wat2wasm
from wippywasm.errors import InvalidError, TooLongError
from wippywasm.wit import (
    parse_text,
    print_resolution,
    world_document,
    world_functions,
    world_mismatches,
    world_of_component,
)

COMPONENT = """
(component
  (import "a:b/types@1.0.0" (instance $types
    (type $r (record (field "x" u8) (field "next" (option u32))))
    (export "rec" (type $rec (eq $r)))
    (export "thing" (type $thing (sub resource)))
    (export "[method]thing.get" (func (param "self" (borrow $thing)) (result $rec)))))
  (alias export $types "rec" (type $rec))
  (alias export $types "thing" (type $thing))
  (import "rec" (type $mine (eq $rec)))
  (import "run" (func (param "r" $mine) (result (list (own $thing)))))
  (import "inline" (instance (export "go" (func async))))
  (import "a:b/user" (instance
    (export "other" (type $other (eq $rec)))
    (export "use-it" (func (param "o" $other)))))
)
"""

EXPECTED = """\
package root:component;

world root {
  import a:b/types@1.0.0;
  import inline: interface {
    go: async func();
  }
  import a:b/user;
  use a:b/types@1.0.0.{rec, thing};
  import run: func(r: rec) -> list<thing>;
}

package a:b@1.0.0 {
  interface types {
    record rec {
      x: u8,
      next: option<u32>,
    }

    resource thing {
      get: func() -> rec;
    }
  }
}

package a:b {
  interface user {
    use a:b/types@1.0.0.{rec as other};

    use-it: func(o: other);
  }
}
"""


def test_a_component_as_wit() -> None:
    component = binary.decode(engine.wat2wasm(COMPONENT))
    assert print_resolution(world_of_component(component)) == EXPECTED


def test_functions_that_wit_has_no_names_for_are_left_out() -> None:
    text = """
    (component
      (core module $m (func (export "f")))
      (core instance $i (instantiate $m))
      (import "x:y/taken" (func))
      (import "x:y/z" (instance (export "named" (func)) (export "a:b/c" (func))))
      (func $f (canon lift (core func $i "f")))
      (type $r (resource (rep i32)))
      (export $r' "r" (type $r))
      (export "[static]r.new" (func $f))
      (export "a:b/iface" (func $f))
      (export "plain" (func $f)))
    """
    world = world_of_component(binary.decode(engine.wat2wasm(text))).world()
    assert {f for names in world_functions(world) for f in names} == {("x:y/z", "named"), "plain"}


def test_a_real_component_as_wit_that_means_the_same() -> None:
    component = binary.decode((Path(__file__).parents[1] / "guests" / "zoo.wasm").read_bytes())
    found = world_of_component(component)
    again = parse_text(print_resolution(found))
    assert len(world_functions(found.world())[0]) > 10
    assert world_mismatches(found.world(), again.world()) == []
    assert world_mismatches(again.world(), found.world()) == []


SHOPS = """
(component
  (type $shape (instance
    (type $r (record (field "id" u32)))
    (export "item" (type (eq $r)))))
  (import "a:b/one" (instance $one (type $shape)))
  (import "a:b/two" (instance $two (type $shape)))
  (alias export $two "item" (type $item))
  (import "a:b/user" (instance $user
    (export "item" (type $used (eq $item)))
    (type $r (record (field "id" u32)))
    (export "mine" (type $mine (eq $r)))
    (type $size u32)
    (export "size" (type $counted (eq $size)))
    (export "width" (type (eq $size)))
    (export "swap" (func (param "a" $used) (param "n" $counted) (param "m" u32) (result $mine)))))
  (alias export $user "mine" (type $theirs))
  (component $exporting
    (type $r (record (field "id" u32)))
    (import "import-item" (type $imported (eq $r)))
    (import "import-new" (type $mine (eq $r)))
    (export "item" (type $imported))
    (export $new "new" (type $mine)))
  (type $local (record (field "id" u32)))
  (instance $three (instantiate $exporting (with "import-item" (type $theirs)) (with "import-new" (type $local))))
  (alias export $three "new" (type $new))
  (instance $four (instantiate $exporting (with "import-item" (type $new)) (with "import-new" (type $local))))
  (export "a:b/three" (instance $three))
  (export "a:b/four" (instance $four)))
"""

SHOP_INTERFACES = """\
  interface one {
    record item {
      id: u32,
    }
  }

  interface two {
    record item {
      id: u32,
    }
  }

  interface user {
    use two.{item};

    swap: func(a: item, n: size, m: u32) -> mine;

    record mine {
      id: u32,
    }

    type size = u32;

    type width = u32;
  }

  interface three {
    use user.{mine as item};

    record new {
      id: u32,
    }
  }

  interface four {
    use three.{new as item};

    record new {
      id: u32,
    }
  }
"""


def test_types_of_one_form_stay_apart() -> None:
    """Only a name that stands for another's type index is a `use`; a definition of its own may look the same."""
    text = print_resolution(world_of_component(binary.decode(engine.wat2wasm(SHOPS))))
    assert SHOP_INTERFACES in text


def test_an_export_of_the_root_between_two_instances_of_one_component() -> None:
    """Both instances share the index of `new`, which the second one exports for another name of itself."""
    text = """
    (component
      (component $exporting
        (type $r (record (field "id" u32)))
        (import "import-new" (type $mine (eq $r)))
        (export "new" (type $mine)))
      (type $local (record (field "id" u32)))
      (instance $one (instantiate $exporting (with "import-new" (type $local))))
      (alias export $one "new" (type $new))
      (export $root "root" (type $new))
      (instance $two (instantiate $exporting (with "import-new" (type $root))))
      (export "a:b/two" (instance $two)))
    """
    text = print_resolution(world_of_component(binary.decode(engine.wat2wasm(text))))
    assert text.count("record new {") == 1


def test_types_that_only_the_root_names_have_no_words() -> None:
    text = """
    (component
      (type $r (record (field "x" u32)))
      (export $named "r" (type $r))
      (core module $m (func (export "f") (param i32 i32)))
      (core instance $i (instantiate $m))
      (func (export "h") (param "v" (option $named)) (canon lift (core func $i "f"))))
    """
    world = world_of_component(binary.decode(engine.wat2wasm(text)))
    with pytest.raises(InvalidError, match="the function `h` is of a record type that no interface names"):
        print_resolution(world)


def test_interfaces_that_use_types_of_each_other_have_no_document() -> None:
    text = """
    (component
      (import "a:b/x" (instance $x (export "s" (type (sub resource)))))
      (alias export $x "s" (type $s))
      (import "a:b/y" (instance $y (export "t" (type (eq $s))) (export "q" (type (sub resource)))))
      (alias export $y "q" (type $q))
      (instance $e (export "u" (type $q)))
      (export "a:b/x" (instance $e)))
    """
    world = world_of_component(binary.decode(engine.wat2wasm(text))).world()
    with pytest.raises(InvalidError, match="the interface `a:b/x` uses types of one that uses its types"):
        world_document(world)


@needs_vectors
def test_the_worlds_of_the_vectors_read_back_as_what_they_are() -> None:
    said, unsayable = 0, 0
    for place, wasm in components():
        found = world_of_component(binary.decode(wasm))
        try:
            text = print_resolution(found)
        except InvalidError:
            unsayable += 1
            continue
        again = parse_text(text)
        assert world_mismatches(found.world(), again.world()) == [], place
        assert world_mismatches(again.world(), found.world()) == [], place
        said += 1
    assert said > 200
    assert unsayable < 20


def _chain(length: int) -> str:
    """An interface of so many types, each a list of the one before, up to ninety deep."""
    types = [f"(type {'(list u8)' if n % 90 == 0 else f'(list $t{n - 1})'})" for n in range(length)]
    named = [f'{t} (export "t{n}" (type $t{n} (eq {2 * n})))' for n, t in enumerate(types)]
    return f'(component (import "a:b/c" (instance {" ".join(named)})))'


def test_types_that_are_made_of_others_go_with_their_world() -> None:
    """One at each garbage collection, if a name refers to itself."""
    world = world_of_component(decode(wat2wasm(_chain(89)))).world()
    interface = next(iter(world.imports.values())).interface  # type: ignore[union-attr]
    early = weakref.ref(interface.types["t1"].kind)
    assert early() is not None
    interface.types.clear()
    del interface, world
    gc.collect()
    assert early() is None


def test_more_types_than_their_file_has_room_for_have_no_world() -> None:
    component = decode(wat2wasm(_chain(8_000)))
    with pytest.raises(TooLongError, match="too many functions and types for a world"):
        world_of_component(component)
