"""What the tree says of a component: its definitions, and which resources are the same."""

from __future__ import annotations

from tests.binary.binary_text import LIFTED, component, nested
from wippywasm.binary import decode
from wippywasm.binary.component import (
    AliasExport,
    CanonLift,
    CanonLower,
    Component,
    CoreModule,
    Export,
    Import,
    InlineExports,
    InstanceType,
    InstantiateComponent,
    NestedComponent,
    ResourceDefinition,
    TypeBound,
)
from wippywasm.core import CoreFuncType
from wippywasm.engine import wat2wasm
from wippywasm.model import STRING, U32, FuncType, OwnType, Param, ResourceType


def find(tree: Component, kind: type) -> list[object]:
    return [definition for definition in tree.definitions if isinstance(definition, kind)]


def test_lift_and_lower() -> None:
    tree = component(LIFTED)
    lower = next(d for d in tree.definitions if isinstance(d, CanonLower))
    lift = next(d for d in tree.definitions if isinstance(d, CanonLift))
    assert lower.core_type == CoreFuncType(("i32", "i32"))
    assert lift.type is FuncType((Param("n", U32),), STRING)
    assert lift.options.string_encoding == "utf16"
    assert (lift.options.memory, lift.options.post_return) == (1, 3)
    assert list(tree.type.exports) == ["run"]
    assert list(tree.type.imports) == ["log"]


def test_core_modules_are_slices_of_the_input() -> None:
    wasm = wat2wasm(f"(component {LIFTED})")
    modules = [d for d in decode(wasm).definitions if isinstance(d, CoreModule)]
    assert len(modules) == 2
    for module in modules:
        assert module.wasm.obj is wasm
        assert wasm[module.offset : module.offset + 4] == b"\0asm"


def test_one_resource_is_one_object_within_a_scope() -> None:
    tree = component("""
      (type $r (resource (rep i32)))
      (export $r' "r" (type $r))
      (core func $drop (canon resource.drop $r))
      (func (export "f") (param "x" (own $r')) (canon lift (core func $drop)))
    """)
    resource = next(d for d in tree.definitions if isinstance(d, ResourceDefinition)).type
    exported = tree.type.exports["r"]
    function = tree.type.exports["f"]
    assert exported == TypeBound(resource, fresh=True)
    assert isinstance(function, FuncType)
    assert function.params[0].type is OwnType(resource)
    assert resource.name == "r"


def test_a_second_export_is_equal_and_an_ascribed_one_is_fresh() -> None:
    tree = component("""
      (type $r (resource (rep i32)))
      (export "a" (type $r)) (export "b" (type $r)) (export "c" (type $r) (type (sub resource)))
    """)
    a, b, c = (tree.type.exports[name] for name in "abc")
    assert isinstance(a, TypeBound)
    assert isinstance(b, TypeBound)
    assert isinstance(c, TypeBound)
    assert a.type is b.type
    assert (a.fresh, b.fresh, c.fresh) == (True, False, True)
    assert c.type is not a.type


def test_instances_have_resources_of_their_own() -> None:
    tree = component("""
      (component $c (type $r (resource (rep i32))) (export "r" (type $r)))
      (instance (instantiate $c)) (instance (instantiate $c))
    """)
    one, two = (d.type.exports["r"] for d in tree.definitions if isinstance(d, InstantiateComponent))
    inner = nested(tree.definitions[0]).type.exports["r"]
    assert isinstance(one, TypeBound)
    assert isinstance(two, TypeBound)
    assert isinstance(inner, TypeBound)
    assert len({one.type, two.type, inner.type}) == 3


def test_an_argument_takes_the_place_of_an_imported_resource() -> None:
    tree = component("""
      (type $r (resource (rep i32)))
      (component $c (import "x" (type $x (sub resource))) (export "y" (type $x))
        (import "f" (func $f (param "x" (own $x)))) (export "g" (func $f)))
      (core func $drop (canon resource.drop $r))
      (func $f (param "x" (own $r)) (canon lift (core func $drop)))
      (instance (instantiate $c (with "x" (type $r)) (with "f" (func $f))))
    """)
    resource = next(d for d in tree.definitions if isinstance(d, ResourceDefinition)).type
    instance = next(d for d in tree.definitions if isinstance(d, InstantiateComponent)).type
    assert instance.exports["y"] == TypeBound(resource)
    assert instance.exports["g"] is FuncType((Param("x", OwnType(resource)),))


def test_each_import_of_an_instance_type_has_resources_of_its_own() -> None:
    tree = component("""
      (type $I (instance (export "r" (type $r (sub resource))) (export "f" (func (result (own $r))))))
      (import "a" (instance (type $I))) (import "b" (instance (type $I)))
      (alias export 0 "r" (type))
    """)
    a, b = (d.type for d in tree.definitions if isinstance(d, Import))
    assert isinstance(a, InstanceType)
    assert isinstance(b, InstanceType)
    bound, other = a.exports["r"], b.exports["r"]
    assert isinstance(bound, TypeBound)
    assert isinstance(other, TypeBound)
    assert bound.fresh
    assert bound.type is not other.type
    assert isinstance(bound.type, ResourceType)
    assert a.exports["f"] is FuncType((), OwnType(bound.type))
    alias = next(d for d in tree.definitions if isinstance(d, AliasExport))
    assert alias.type == bound


def test_the_type_of_a_component_tells_which_nested_resources_it_introduces() -> None:
    tree = component("""
      (type $r (resource (rep i32)))
      (instance $bag (export "r" (type $r)))
      (export "i" (instance $bag))
    """)
    outside, inside = tree.type.exports["i"], next(d for d in tree.definitions if isinstance(d, InlineExports)).type
    assert isinstance(outside, InstanceType)
    bound, plain = outside.exports["r"], inside.exports["r"]
    assert isinstance(bound, TypeBound)
    assert isinstance(plain, TypeBound)
    assert bound.type is plain.type
    assert (bound.fresh, plain.fresh) == (True, False)


def test_exports_refer_to_what_they_export() -> None:
    tree = component('(import "f" (func $f)) (export $g "g" (func $f)) (export "h" (func $g))')
    exports = [d for d in tree.definitions if isinstance(d, Export)]
    assert [(e.name, e.sort, e.index) for e in exports] == [("g", "func", 0), ("h", "func", 1)]


def test_nested_components_and_custom_sections_keep_their_bytes() -> None:
    wasm = wat2wasm('(component (component (@custom "inner" "xyz")) (@custom "outer" "abc"))')
    tree = decode(wasm)
    inner = next(d for d in tree.definitions if isinstance(d, NestedComponent)).component
    assert [bytes(c.data) for c in tree.customs if c.name == "outer"] == [b"abc"]
    assert [bytes(c.data) for c in inner.customs if c.name == "inner"] == [b"xyz"]
    assert decode(inner.wasm).type.exports == {}


def test_the_repr_of_what_shares_its_parts_is_cut() -> None:
    levels = "".join(
        f'(type $i{i} (instance (export "a" (instance (type $i{i - 1}))) (export "b" (instance (type $i{i - 1})))))'
        for i in range(1, 17)
    )
    decoded = component(f'(type $i0 (instance (export "f" (func)))) {levels} (import "i" (instance (type $i16)))')
    for value in (decoded, decoded.node, decoded.type):
        assert len(repr(value)) < 400_000
        assert "…" in repr(value)
