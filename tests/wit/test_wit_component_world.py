"""The world of a component, read from its decoded type."""

from __future__ import annotations

from pathlib import Path

from wippywasm import binary, engine
from wippywasm.wit import parse_text, print_resolution, world_functions, world_mismatches, world_of_component

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
    assert print_resolution(world_of_component(component.type)) == EXPECTED


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
    world = world_of_component(binary.decode(engine.wat2wasm(text)).type).world()
    assert {f for names in world_functions(world) for f in names} == {("x:y/z", "named"), "plain"}


def test_a_real_component_as_wit_that_means_the_same() -> None:
    component = binary.decode((Path(__file__).parents[1] / "guests" / "zoo.wasm").read_bytes())
    found = world_of_component(component.type)
    again = parse_text(print_resolution(found))
    assert len(world_functions(found.world())[0]) > 10
    assert world_mismatches(found.world(), again.world()) == []
    assert world_mismatches(again.world(), found.world()) == []
