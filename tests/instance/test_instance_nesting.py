"""Components within components: virtualisation, generativity, captured scopes, components and modules as values."""

from __future__ import annotations

from typing import Any

import pytest

from wippywasm.engine import wat2wasm
from wippywasm.errors import LinkError, PoisonedError, Trap, ValidationError

VIRTUALIZED = """
(component
  (import "store" (instance $host
    (export "put" (func (param "key" u32) (param "value" u32)))
    (export "get" (func (param "key" u32) (result u32)))))
  (component $Shift
    (import "by" (core module $By (export "by" (global i32))))
    (import "store" (instance $inner
      (export "put" (func (param "key" u32) (param "value" u32)))
      (export "get" (func (param "key" u32) (result u32)))))
    (core instance $by (instantiate $By))
    (core func $put (canon lower (func $inner "put")))
    (core func $get (canon lower (func $inner "get")))
    (core module $m
      (import "by" "by" (global $by i32))
      (import "s" "put" (func $put (param i32 i32)))
      (import "s" "get" (func $get (param i32) (result i32)))
      (func (export "put") (param i32 i32)
        (call $put (i32.add (local.get 0) (global.get $by)) (local.get 1)))
      (func (export "get") (param i32) (result i32)
        (call $get (i32.add (local.get 0) (global.get $by)))))
    (core instance $i (instantiate $m (with "by" (instance $by))
      (with "s" (instance (export "put" (func $put)) (export "get" (func $get))))))
    (func (export "put") (param "key" u32) (param "value" u32) (canon lift (core func $i "put")))
    (func (export "get") (param "key" u32) (result u32) (canon lift (core func $i "get"))))
  (core module $Ten (global (export "by") i32 (i32.const 10)))
  (core module $Hundred (global (export "by") i32 (i32.const 100)))
  (instance $a (instantiate $Shift (with "by" (core module $Ten)) (with "store" (instance $host))))
  (instance $b (instantiate $Shift (with "by" (core module $Hundred)) (with "store" (instance $a))))
  (export "once" (instance $a))
  (export "twice" (instance $b)))
"""


def test_a_virtualized_store_shifts_its_keys(load: Any) -> None:
    kept: dict[int, int] = {}
    with load(VIRTUALIZED).instantiate({"store": {"put": kept.__setitem__, "get": kept.__getitem__}}) as guest:
        guest.exports["once"].put(1, 11)
        guest.exports["twice"].put(1, 12)
        assert kept == {11: 11, 111: 12}
        assert guest.call("twice#get", 1) == 12


TRAPPING = """
(component
  (component $Inner
    (core module $m
      (func (export "ok") (result i32) (i32.const 1))
      (func (export "crash") unreachable))
    (core instance $i (instantiate $m))
    (func (export "ok") (result u32) (canon lift (core func $i "ok")))
    (func (export "crash") (canon lift (core func $i "crash"))))
  (component $Outer
    (import "inner" (instance $inner (export "crash" (func))))
    (core func $crash (canon lower (func $inner "crash")))
    (core module $m (import "" "crash" (func $crash)) (func (export "go") (call $crash)))
    (core instance $i (instantiate $m (with "" (instance (export "crash" (func $crash))))))
    (func (export "go") (canon lift (core func $i "go"))))
  (instance $inner (instantiate $Inner))
  (instance $outer (instantiate $Outer (with "inner" (instance $inner))))
  (func (export "ok") (alias export $inner "ok"))
  (func (export "go") (alias export $outer "go")))
"""


def test_a_trap_inside_ends_the_whole_guest(load: Any) -> None:
    with load(TRAPPING).instantiate() as guest:
        assert guest.call("ok") == 1
        with pytest.raises(Trap, match="unreachable"):
            guest.call("go")
        with pytest.raises(PoisonedError):
            guest.call("ok")


TWO_OF_A_KIND = """
(component
  (component $C
    (type $r (resource (rep i32)))
    (export $e "r" (type $r))
    (core func $new (canon resource.new $r))
    (core func $rep (canon resource.rep $r))
    (core module $m
      (import "" "new" (func $new (param i32) (result i32)))
      (import "" "rep" (func $rep (param i32) (result i32)))
      (func (export "make") (param i32) (result i32) (call $new (local.get 0)))
      (func (export "read") (param i32) (result i32) (local.get 0)))
    (core instance $i (instantiate $m (with "" (instance (export "new" (func $new)) (export "rep" (func $rep))))))
    (func (export "make") (param "n" u32) (result (own $e)) (canon lift (core func $i "make")))
    (func (export "read") (param "r" (borrow $e)) (result u32) (canon lift (core func $i "read"))))
  (instance $a (instantiate $C))
  (instance $b (instantiate $C))
  (export "a" (instance $a))
  (export "b" (instance $b)))
"""


def test_each_instance_of_a_component_has_resources_of_its_own(load: Any) -> None:
    from wippywasm.errors import ValueMismatchError

    with load(TWO_OF_A_KIND).instantiate() as guest:
        a, b = guest.exports["a"], guest.exports["b"]
        one = a.make(7)
        assert a.read(one) == 7
        with pytest.raises(ValueMismatchError, match="another type or instance"):
            b.read(one)


# Imports a component and a module, and makes instances of both.
TAKES = """
(component
  (import "adder" (component $Adder
    (import "base" (func (result u32)))
    (export "add" (func (param "n" u32) (result u32)))))
  (import "base" (core module $Base (export "get" (func (result i32)))))
  (core instance $base (instantiate $Base))
  (func $base (result u32) (canon lift (core func $base "get")))
  (instance $i (instantiate $Adder (with "base" (func $base))))
  (func (export "add") (alias export $i "add")))
"""

ADDER = """
(component
  (import "base" (func $base (result u32)))
  (core func $base (canon lower (func $base)))
  (core module $m
    (import "" "base" (func $base (result i32)))
    (func (export "add") (param i32) (result i32) (i32.add (local.get 0) (call $base))))
  (core instance $i (instantiate $m (with "" (instance (export "base" (func $base))))))
  (func (export "add") (param "n" u32) (result u32) (canon lift (core func $i "add")))
  (func (export "more") (param "n" u32) (result u32) (canon lift (core func $i "add"))))
"""

BASE = '(module (func (export "get") (result i32) (i32.const 40)) (func (export "other")))'


def test_components_and_modules_as_imports(load: Any) -> None:
    component = load(TAKES)
    assert component.imports == ("adder", "base")
    assert list(component.functions) == ["add"]
    imports = {"adder": load(ADDER), "base": wat2wasm(BASE)}
    with component.instantiate(imports) as guest:
        assert guest.call("add", 2) == 42
    with component.instantiate({**imports, "base": load(BASE)}) as guest:
        assert guest.call("add", 1) == 41


@pytest.mark.parametrize(
    ("adder", "base", "message"),
    [
        (None, BASE, "nothing is given for import 'adder', which is a component"),
        (BASE, BASE, "import 'adder' is a component: give a loaded one, not a core module"),
        ("(component)", BASE, "component given for import 'adder' does not fit: export 'add': it is missing"),
        (TAKES, BASE, "does not fit: import 'adder': it is missing"),
        (ADDER, None, "nothing is given for import 'base', which is a core module"),
        (ADDER, ADDER, "import 'base' is a core module, and a component is none"),
        (ADDER, "(module)", "core module given for import 'base' does not fit: missing expected export `get`"),
        (ADDER, '(module (func (export "get")))', "does not fit: type mismatch in export `get`"),
        (
            '(component (import "x" (func $x)) (export "add" (func $x)))',
            BASE,
            "does not fit: import 'x': it is missing",
        ),
    ],
)
def test_components_and_modules_that_do_not_fit(load: Any, adder: Any, base: Any, message: str) -> None:
    imports = {name: load(wat) for name, wat in (("adder", adder), ("base", base)) if wat is not None}
    with pytest.raises(LinkError, match=message):
        load(TAKES).instantiate(imports)


def test_what_is_no_component(load: Any) -> None:
    component, linked = load(TAKES), load("(component)").link()
    with load("(component)").instantiate() as guest:
        for given, words in (
            (guest, "a guest or its exports"),
            (guest.exports, "a guest or its exports"),
            (b"", "its bytes"),
            (linked, "a LinkedComponent"),
        ):
            with pytest.raises(LinkError, match=f"^import 'adder' is a component: give a loaded one, not {words}$"):
                component.link({"adder": given, "base": wat2wasm(BASE)})


CAPTURED = """
(component
  (component $C
    (import "m" (core module $M (export "get" (func (result i32)))))
    (component $Inner
      (core instance $i (instantiate $M))
      (func (export "get") (result u32) (canon lift (core func $i "get"))))
    (export "inner" (component $Inner)))
  (core module $One (func (export "get") (result i32) (i32.const 1)))
  (core module $Two (func (export "get") (result i32) (i32.const 2)))
  (instance $c1 (instantiate $C (with "m" (core module $One))))
  (instance $c2 (instantiate $C (with "m" (core module $Two))))
  (alias export $c1 "inner" (component $I1))
  (alias export $c2 "inner" (component $I2))
  (instance $i1 (instantiate $I1))
  (instance $i2 (instantiate $I2))
  (export "one" (instance $i1))
  (export "two" (instance $i2))
  (export "module" (core module $Two)))
"""


def test_a_component_keeps_the_scope_it_was_defined_in(load: Any) -> None:
    with load(CAPTURED).instantiate() as guest:
        assert [guest.call("one#get"), guest.call("two#get")] == [1, 2]
        with load(bytes(guest.exports["module"])).instantiate() as module:
            assert module.call("get") == 2


def test_a_name_in_two_instances_is_ambiguous_without_its_interface(load: Any) -> None:
    from wippywasm.errors import NotFoundError

    with load(CAPTURED).instantiate() as guest, pytest.raises(NotFoundError, match="did you mean"):
        guest.call("three#get")


ASYNC_BUILTINS = """
(component
  (core module $mem (memory (export "m") 1))
  (core instance $mem (instantiate $mem))
  (canon task.cancel (core func $cancel))
  (canon context.get i32 0 (core func $get))
  (canon context.set i32 0 (core func $set))
  (core module $m
    (import "" "cancel" (func $cancel))
    (import "" "get" (func $get (result i32)))
    (import "" "set" (func $set (param i32)))
    (func (export "plain") (result i32) (i32.const 42))
    (func (export "cancel") (call $cancel))
    (func (export "context") (result i32) (local $before i32)
      (local.set $before (call $get))
      (call $set (i32.const 7))
      (i32.add (i32.mul (local.get $before) (i32.const 100)) (call $get))))
  (core instance $i (instantiate $m (with "" (instance
    (export "cancel" (func $cancel)) (export "get" (func $get)) (export "set" (func $set))))))
  (func (export "plain") (result u32) (canon lift (core func $i "plain")))
  (func (export "cancel") (canon lift (core func $i "cancel")))
  (func (export "context") (result u32) (canon lift (core func $i "context"))))
"""


def test_built_ins_that_do_not_run_yet_fail_when_called(load: Any) -> None:
    from wippywasm.errors import UnsupportedFeatureError

    with load(ASYNC_BUILTINS).instantiate() as guest:
        assert guest.call("plain") == 42
        assert [guest.call("context"), guest.call("context")] == [7, 7]
        with pytest.raises(UnsupportedFeatureError, match=r"task\.cancel"):
            guest.call("cancel")


@pytest.mark.parametrize(
    "place",
    [
        "(component {})",
        "(component (component (component {})))",
        "(component (component {} (core instance (instantiate $m))))",
        '(component (component $C {0}) (export "c" (component $C)))',
        "(component {} (core module $n) (core instance (instantiate $n)))",
    ],
)
def test_code_that_nothing_instantiates_is_validated(load: Any, place: str) -> None:
    good = wat2wasm(place.format('(core module $m (func (export "f") (result i32) (i32.const 5)))'))
    load(good).instantiate().close()
    wrong = good.replace(b"\x41\x05\x0b", b"\x01\x01\x0b")
    for _ in range(2):
        with pytest.raises(ValidationError, match="type mismatch") as raised:
            load(wrong).compile()
        assert raised.value.offset == wrong.index(b"\x01\x01\x0b") + 2
    with pytest.raises(ValidationError):
        load(wrong).instantiate()


def test_wrong_code_is_told_by_its_place_in_the_file(load: Any) -> None:
    code = '(func (export "f") (result i32) (i64.const 7))'
    module = wat2wasm(f"(module {code})")
    inner = f"(component $C (core module $m {code}) (core instance (instantiate $m)))"
    wasm = wat2wasm(f"(component {inner} (instance (instantiate $C)))")
    with pytest.raises(ValidationError) as alone:
        load(module, wit="f: func() -> s32;").compile()
    with pytest.raises(ValidationError, match="type mismatch") as nested:
        load(wasm).compile()
    assert nested.value.offset == wasm.index(module) + alone.value.offset
    assert f"{nested.value.offset:#x}" in str(nested.value)
