"""Components plugged into one another run, and validate elsewhere. Spec: `Explainer.md` (component definitions)."""

from __future__ import annotations

from pathlib import Path

import pytest
import wasmtime
from wasmtime import component as peer

import wippywasm
from tests.composition.composition_parts import (
    COUNTERS,
    COUNTS,
    FILTER,
    GREETER,
    PUTS_STREAM,
    TAKES_STREAM,
    log,
    streams_user,
)
from wippywasm import Component, Wasi, wit
from wippywasm.binary import decode
from wippywasm.engine.port import Engine
from wippywasm.errors import InvalidError, MalformedError, NotFoundError


def compose(engine: Engine, *parts: str) -> Component:
    """The composition, which the other implementation finds valid too."""
    component = wippywasm.compose(*parts, engine=engine)
    peer.Component(wasmtime.Engine(), bytes(component.wasm))
    return component


def test_an_export_becomes_the_import(engine: Engine) -> None:
    component = compose(engine, GREETER, log("@1.0.0", 100))
    assert component.imports == ("wasi:clocks/monotonic-clock@0.2.0",)
    with component.instantiate(wasi=Wasi()) as guest:
        assert guest.call("run", 5) == 105
        assert guest.call("time") > 0


@pytest.mark.parametrize(("version", "fits"), [("@1.3.0", True), ("@2.0.0", False), ("", True), ("@0.1.0", False)])
def test_versions_that_are_compatible(version: str, fits: bool) -> None:
    if fits:
        wippywasm.compose(GREETER, log(version, 1))
    else:
        with pytest.raises(InvalidError, match="exports nothing that is imported") as caught:
            wippywasm.compose(GREETER, log(version, 1))
        assert "the socket imports my:log/out@1.0.0" in str(caught.value.hint)


def test_a_plug_supplies_the_plugs_before_it(engine: Engine) -> None:
    component = compose(engine, GREETER, FILTER, log("@1.0.0", 100))
    assert component.imports == ("wasi:clocks/monotonic-clock@0.2.3",), "one clock for both, in the newer version"
    with component.instantiate(wasi=Wasi()) as guest:
        assert guest.call("run", 5) == 210
        assert guest.call("time") > 0


def test_what_a_plug_imports_is_passed_on(engine: Engine) -> None:
    component = compose(engine, GREETER, FILTER)
    assert set(component.imports) == {"my:log/out@1.0.0", "wasi:clocks/monotonic-clock@0.2.3"}
    with component.instantiate({"my:log/out": {"line": lambda n: n + 1}}, wasi=Wasi()) as guest:
        assert guest.call("run", 5) == 12


def test_a_composition_can_be_plugged_again(engine: Engine) -> None:
    once = wippywasm.compose(GREETER, FILTER, engine=engine)
    twice = wippywasm.compose(once, log("@1.0.0", 100), engine=engine)
    with twice.instantiate(wasi=Wasi()) as guest:
        assert guest.call("run", 5) == 210


def test_resources_pass_between_parts(engine: Engine) -> None:
    with compose(engine, COUNTS, COUNTERS).instantiate() as guest:
        assert guest.call("run", 7) == 701
        assert guest.call("run", 8) == 802


def test_a_resource_of_the_host_is_one_type_for_both(engine: Engine) -> None:
    socket = streams_user("socket", "check-write", exports=TAKES_STREAM)
    plug = streams_user("plug", "check-write", exports=PUTS_STREAM)
    component = compose(engine, socket, plug)
    assert [name for name in component.imports if "streams" in name] == ["wasi:io/streams@0.2.0"]
    with component.instantiate(wasi=Wasi(stdout=None)) as guest:
        assert guest.call("run") == 7


PLAIN = '(component (import "f" (func $f (result u32))) (export "g" (func $f)))'
PLAIN_PLUG = """
(component
  (core module $m (func (export "f") (result i32) (i32.const 9)))
  (core instance $i (instantiate $m))
  (func (export "f") (result u32) (canon lift (core func $i "f"))))
"""


def test_functions_outside_of_interfaces(engine: Engine) -> None:
    with compose(engine, PLAIN, PLAIN_PLUG).instantiate() as guest:
        assert guest.call("g") == 9


def test_a_resource_with_a_second_name_keeps_its_methods(engine: Engine) -> None:
    """As `fields`, `headers` and `trailers` of `wasi:http/types` are."""
    socket = """
    (component
      (import "a:b/types" (instance
        (export "fields" (type $fields (sub resource)))
        (export "trailers" (type (eq $fields)))
        (export "[constructor]fields" (func (result (own $fields))))
        (export "[method]fields.count" (func (param "self" (borrow $fields)) (result u32)))))
      (import "f" (func $f (result u32)))
      (export "g" (func $f)))"""
    composed = compose(engine, socket, PLAIN_PLUG)
    world = wit.world_of_component(decode(composed.wasm))
    assert "constructor();" in wit.print_resolution(world)
    assert "type trailers = fields;" in wit.print_resolution(world)


LOOSE = """
(component
  (type $t (record (field "x" u32)))
  (export $tt "t" (type $t))
  (core module $m (func (export "f") (param i32) (result i32) local.get 0))
  (core instance $i (instantiate $m))
  (func (export "h") (param "v" $tt) (result $tt) (canon lift (core func $i "f")))
  (import "f" (func $f (result u32)))
  (export "g" (func $f)))
"""


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ((GREETER,), "nothing to compose"),
        ((GREETER, "(module)"), "plug 1 is a core module, and only components can be composed"),
        ((GREETER, COUNTERS), "plug 1 exports nothing that is imported: it exports my:counters/api"),
        ((GREETER, log("@1.0.0", 1), log("@1.0.0", 2)), "plug 2 exports nothing that is imported"),
        (
            (GREETER, log("@1.0.0", 1, "s32")),
            "and it is not what the socket imports as 'my:log/out@1.0.0': export 'line'",
        ),
        (('(component (import "m" (core module)) (import "f" (func (result u32))))', PLAIN_PLUG), "is no interface"),
        (
            (
                '(component (import "a:b/c" (instance (export "in" (instance)))) (import "f" (func (result u32))))',
                PLAIN_PLUG,
            ),
            "imports 'a:b/c', in which 'in' is no function or type: plug it",
        ),
        ((LOOSE, PLAIN_PLUG), "the socket exports types outside of any interface (t): have it export them in one"),
        (('(component (import "a:b/c" (func)) (import "f" (func (result u32))))', PLAIN_PLUG), "'a:b/c', which has no"),
    ],
)
def test_what_is_refused(parts: tuple[str, ...], words: str) -> None:
    with pytest.raises(InvalidError) as caught:
        wippywasm.compose(*parts)
    assert words in str(caught.value)


def test_two_parts_that_import_one_name_with_different_types() -> None:
    other = FILTER.replace('(export "resolution" (func (result u64)))', '(export "now" (func (result u32)))')
    with pytest.raises(
        InvalidError, match=r"the socket and plug 1 both import .*now.*func\(\) -> u64 and func\(\) -> u32"
    ):
        wippywasm.compose(GREETER, other)


def test_an_export_with_a_resource_that_only_the_plug_knows() -> None:
    socket = COUNTS.rstrip()[:-1] + '(export "my:counters/again" (instance $api)))'
    plugged = wippywasm.compose(socket, COUNTERS)
    with plugged.instantiate() as guest:
        assert guest.exports["my:counters/again"].Counter(3).get() == 3
    leaking = (
        COUNTS.rstrip()[:-1]
        + """(import "my:other/use" (instance (export "counter" (type $x (eq $counter)))
               (export "take" (func (param "c" (borrow $x)))))))"""
    )
    with pytest.raises(InvalidError, match="speaks of counter, a resource of a plug") as caught:
        wippywasm.compose(leaking, COUNTERS)
    assert caught.value.hint == "plug that import, too"


def test_files_and_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.wat").write_text(GREETER)
    plug = wippywasm.load(log("@1.0.0", 1)).wasm
    assert wippywasm.compose(tmp_path / "a.wat", plug).kind == "component"
    (tmp_path / "b.wasm").write_bytes(b"\0asm\x0d\0\1\0\xff")
    with pytest.raises(MalformedError):
        wippywasm.compose(tmp_path / "a.wat", str(tmp_path / "b.wasm"))
    with pytest.raises(NotFoundError):
        wippywasm.compose(tmp_path / "a.wat", tmp_path / "c.wasm")


def test_types_of_one_form_stay_apart() -> None:
    """Also where a part uses a type of an import that only a later part has."""
    user = """
    (component
      {before}
      (import "a:b/user" (instance
        {bound}
        (export "get" (func (result $got)))
        (type $own (record (field "id" u32)))
        (export "own" (type (eq $own)))))
      (import "{of}" (func (result u32))))"""
    types = '(import "a:b/types" (instance $t (type $r (record (field "id" u32))) (export "item" (type (eq $r)))))'
    alias = '(alias export $t "item" (type $item))'
    socket = '(component (import "f" (func $f (result u32))) (import "a:b/user" (instance)) (export "g" (func $f)))'
    plug = user.format(before=types + alias, bound='(export "item" (type $got (eq $item)))', of="x")
    plug = plug.rstrip()[:-1] + ' (export "f" (func 0)))'
    world = wit.world_of_component(decode(wippywasm.compose(socket, plug).wasm))
    text = wit.print_resolution(world)
    assert "use types.{item};" in text
    assert text.count("record ") == 2
