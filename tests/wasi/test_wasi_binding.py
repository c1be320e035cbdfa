"""What our interfaces have is what the shipped WIT says, and what is granted is what a guest gets."""

from __future__ import annotations

import inspect
import random
from typing import Any

import pytest

from tests.wasi.conftest import Load
from tests.wasi.wasi_guests import ALLOCATOR, world
from wippywasm.errors import LinkError, PermissionDeniedError, UnsupportedFeatureError
from wippywasm.instance.arity import accepts
from wippywasm.instance.names import pascal, snake
from wippywasm.instance.offered import HostInterface, offered_types
from wippywasm.instance.providers import MISSING, find_function, find_resource
from wippywasm.plan.mangle import resource_function
from wippywasm.wasi import Capture, FakeClock, Wasi

INTERFACES = {i.wit: i for i in Wasi().interfaces}
CLAIMED = ("wasi:io", "wasi:clocks", "wasi:random", "wasi:cli", "wasi:filesystem", "wasi:sockets", "wasi:http")
NOT_IMPORTED = ("wasi:cli/run", "wasi:http/incoming-handler")


def test_every_interface_of_the_packages_is_there() -> None:
    shipped = {n for n in offered_types() if n.startswith(tuple(f"{p}/" for p in CLAIMED)) and n not in NOT_IMPORTED}
    assert shipped <= set(INTERFACES)


@pytest.mark.parametrize("wit", INTERFACES)
def test_every_function_is_there_and_takes_its_arguments(wit: str) -> None:
    for name, type in offered_types()[wit].functions.items():
        found = find_function(INTERFACES[wit], name)
        assert found is not MISSING, f"{wit}#{name} is missing"
        assert callable(found)
        assert accepts(found, len(type.params)), f"{wit}#{name} takes {len(type.params)} arguments"
        if not name.startswith("[constructor]"):
            assert not accepts(found, len(type.params) + 1), f"{wit}#{name} takes too many arguments"


@pytest.mark.parametrize("wit", INTERFACES)
def test_nothing_else_is_there(wit: str) -> None:
    types = offered_types()[wit]
    functions = {snake(name) for name in types.functions if resource_function(name) is None}
    resources = {form(name) for name in types.resources for form in (snake, pascal)}
    public = {n for n, _ in inspect.getmembers(INTERFACES[wit]) if not n.startswith("_")}
    assert public - {"wit", "only", "serves"} <= functions | resources
    assert {n for n, _ in inspect.getmembers(HostInterface) if not n.startswith("_")} == {"only", "serves"}


@pytest.mark.parametrize("wit", INTERFACES)
def test_resources_have_classes_where_their_functions_are(wit: str) -> None:
    types = offered_types()[wit]
    own = {parts[1] for name in types.functions if (parts := resource_function(name)) is not None}
    assert all(isinstance(find_resource(INTERFACES[wit], name), type) for name in own)


NOW = """(module (import "wasi:clocks/monotonic-clock@{v}" "now" (func $now (result i64)))
  (import "wasi:random/random@{v}" "get-random-u64" (func $random (result i64)))
  (func (export "now") (result i64) (call $now)) (func (export "random") (result i64) (call $random)))"""
NOW_WORLD = """import wasi:clocks/monotonic-clock@{v}; import wasi:random/random@{v};
  export now: func() -> u64; export random: func() -> u64;"""


def clock_guest(load: Load, version: str, granted: list[str]) -> Any:
    component = load(NOW.format(v=version), wit=world(NOW_WORLD, version))
    wasi = Wasi(clock=FakeClock(monotonic=77), random=1)
    return component.instantiate(wasi.imports(granted), undeclared="deny")


@pytest.mark.parametrize("version", ["0.2.0", "0.2.3", "0.2.9", "0.2.12"])
def test_any_version_is_served(load: Load, version: str) -> None:
    drawn = random.Random(1)
    with clock_guest(load, version, ["wasi:clocks", "wasi:random"]) as guest:
        assert guest.call("now") == 77
        for _ in range(3):
            assert guest.call("random") == int.from_bytes(drawn.randbytes(8), "little")


@pytest.mark.parametrize(
    ("granted", "works"),
    [
        (["wasi:clocks"], True),
        (["wasi:clocks/monotonic-clock"], True),
        (["wasi:clocks/monotonic-clock@0.2.3"], True),
        (["wasi:clocks@0.2.3"], True),
        (["wasi:clocks@0.2.3", "wasi:clocks@0.2.0"], True),
        (["wasi:clocks/wall-clock"], False),
        (["wasi:clocks/monotonic-clock@0.2.4"], False),
        (["wasi:clocks@0.3.0"], False),
        (["wasi:cli", "wasi:io", "wasi:random"], False),
        ([], False),
    ],
)
def test_a_grant_grants_what_it_names(load: Load, granted: list[str], works: bool) -> None:
    with clock_guest(load, "0.2.3", granted) as guest:
        if works:
            assert guest.call("now") == 77
            return
        with pytest.raises(PermissionDeniedError, match=r"wasi:clocks/monotonic-clock@0\.2\.3#now") as denied:
            guest.call("now")
        assert denied.value.details["grant"] == "wasi:clocks"


def test_what_is_not_granted_is_refused_at_link_time_unless_denied(load: Load) -> None:
    component = load(NOW.format(v="0.2.3"), wit=world(NOW_WORLD, "0.2.3"))
    with pytest.raises(LinkError, match="nothing is given for import 'wasi:"):
        component.instantiate(Wasi().imports(["wasi:clocks"]))


def test_two_versions_in_one_guest(load: Load) -> None:
    component = load(
        """(component
          (import "wasi:clocks/monotonic-clock@0.2.0" (instance $a (export "now" (func (result u64)))))
          (import "wasi:clocks/monotonic-clock@0.2.12" (instance $b (export "now" (func (result u64)))))
          (export "a" (func $a "now")) (export "b" (func $b "now")))"""
    )
    with component.instantiate(wasi=Wasi(clock=FakeClock(5))) as guest:
        assert (guest.call("a"), guest.call("b")) == (5, 5)
    with component.instantiate(Wasi(clock=FakeClock(5)).imports(["wasi:clocks@0.2.12"]), undeclared="deny") as guest:
        assert guest.call("b") == 5
        with pytest.raises(PermissionDeniedError):
            guest.call("a")


def test_wasi_io_grants_poll_and_poll_alone_grants_nothing_else() -> None:
    wasi = Wasi()
    assert "wasi:io/poll@0.2.12" in wasi.imports(["wasi:io"])
    assert set(wasi.imports(["wasi:poll"])) == {"wasi:io/poll@0.2.12"}
    assert set(wasi.imports(["wasi:io/poll@0.2.1"])) == {"wasi:io/poll@0.2.1"}


@pytest.mark.parametrize("name", ["wasi1", "wasi-preview1", "preview1", "wasi_snapshot_preview1"])
def test_preview_1_has_four_names(name: str) -> None:
    assert set(Wasi().imports([name])) == {"wasi_snapshot_preview1"}


STDOUT = """(module
  (import "wasi:cli/stdout@0.2.12" "get-stdout" (func $get (result i32)))
  (import "wasi:io/streams@0.2.12" "[method]output-stream.check-write" (func $check (param i32 i32)))
  (import "wasi:io/streams@0.2.12" "[resource-drop]output-stream" (func $drop (param i32)))"""


def test_resources_of_an_interface_that_is_not_granted_stay_out_of_reach(load: Load) -> None:
    text = f"""{STDOUT} {ALLOCATOR}
      (func (export "get") (call $drop (call $get)))
      (func (export "use") (call $check (call $get) (i32.const 0))))"""
    items = "import wasi:cli/stdout@{v}; import wasi:io/streams@{v}; export get: func(); export %use: func();"
    component = load(text, wit=world(items))
    with component.instantiate(Wasi(stdout=Capture()).imports(["wasi:cli"]), undeclared="deny") as guest:
        guest.call("get")
        with pytest.raises(PermissionDeniedError, match=r"streams@0\.2\.12#\[method\]output-stream\.check-write"):
            guest.call("use")


def test_a_guest_that_declares_other_types_is_refused(load: Load) -> None:
    """Else it could call methods of one resource with another, or read numbers as texts."""
    swapped = load(
        """(component
          (import "wasi:io/streams@0.2.0" (instance $s
            (export "output-stream" (type $out (sub resource)))
            (export "[method]output-stream.flush" (func (param "self" (borrow $out)) (result bool))))))"""
    )
    with pytest.raises(LinkError, match=r"output-stream\.flush.* is declared as"):
        swapped.instantiate(wasi=Wasi())
    stolen = load(
        """(component
          (import "wasi:io/poll@0.2.0" (instance $p (export "pollable" (type $pollable (sub resource)))))
          (alias export $p "pollable" (type $pollable))
          (import "wasi:cli/stdin@0.2.0" (instance $s
            (alias outer 1 $pollable (type $p)) (export "pollable" (type $q (eq $p)))
            (export "get-stdin" (func (result (own $q)))))))"""
    )
    with pytest.raises(LinkError, match="get-stdin"):
        stolen.instantiate(wasi=Wasi())


def test_what_is_given_goes_before_what_wasi_has(load: Load) -> None:
    class Mine:
        def now(self) -> int:
            return 1

    for version in ("0.2.0", "0.2.9", "0.2.12"):
        component = load(NOW.format(v=version), wit=world(NOW_WORLD, version))
        wasi = Wasi(clock=FakeClock(5))
        with component.instantiate({"wasi:clocks/monotonic-clock@0.2.3": Mine()}, wasi=wasi) as guest:
            assert guest.call("now") == 1
    text = '(component (import "wasi:clocks/monotonic-clock@0.2.0" (instance (export "now" (func (result string))))))'
    with pytest.raises(LinkError, match="is declared as"):
        load(text).instantiate({"wasi:clocks/monotonic-clock": Mine()}, wasi=Wasi())


@pytest.mark.parametrize("name", ["only", "serves", "__class__", "_args", "wit"])
def test_attributes_of_our_objects_are_no_functions(load: Load, name: str) -> None:
    if name.startswith("_"):
        name = "a" + name.strip("_")
    component = load(
        f"""(component (import "wasi:cli/environment@0.2.0" (instance $e (export "{name}" (func (result u32)))))
          (export "f" (func $e "{name}")))"""
    )
    with component.instantiate(wasi=Wasi()) as guest, pytest.raises(UnsupportedFeatureError, match=name):
        guest.call("f")


def test_instances_within_our_interfaces_are_not_looked_for(load: Load) -> None:
    component = load(
        """(component (import "wasi:cli/stdin@0.2.0" (instance $e (export "get-stdin" (instance
             (export "x" (func))))))
           (alias export $e "get-stdin" (instance $i)) (export "f" (func $i "x")))"""
    )
    with pytest.raises(LinkError):
        component.instantiate(wasi=Wasi())
    with component.instantiate(wasi=Wasi(), undeclared="deny") as guest, pytest.raises(PermissionDeniedError):
        guest.call("f")


def test_core_modules_do_not_reach_interfaces_without_types(load: Load) -> None:
    text = '(module (import "wasi:random/random@0.2.0" "get_random_u64" (func (result i64))))'
    with pytest.raises(LinkError, match="get_random_u64"):
        load(text).instantiate(wasi=Wasi())


def test_a_later_function_is_missing_only_when_it_is_called(load: Load) -> None:
    component = load(
        """(component (import "wasi:random/random@0.2.77" (instance $r
             (export "get-random-u64" (func (result u64))) (export "get-better" (func (result u64)))))
           (export "old" (func $r "get-random-u64")) (export "new" (func $r "get-better")))"""
    )
    with component.instantiate(wasi=Wasi(random=3)) as guest:
        assert isinstance(guest.call("old"), int)
        with pytest.raises(UnsupportedFeatureError, match="get-better"):
            guest.call("new")
