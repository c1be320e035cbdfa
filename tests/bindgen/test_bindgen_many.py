"""Worlds of many things: bindings take time in proportion to them, up to as many as one package can have."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from tests.binary.peaks import assert_peak
from tests.steps import grows_in_proportion
from wippywasm.binary import decode
from wippywasm.bindgen import generate
from wippywasm.bindgen.modules import Modules
from wippywasm.bindgen.names import MOST_UNDERSCORES, Pool
from wippywasm.engine import wat2wasm
from wippywasm.errors import TooLongError
from wippywasm.wit import Interface, PackageName, World, parse_text, world_of_component


def hyphenated(number: int) -> str:
    """One of the many words that are the same without their hyphens."""
    return "a" + "".join("-" * (number >> bit & 1) + chr(98 + bit) for bit in range(16))


def each(count: int, text: Callable[[int], str]) -> str:
    return "".join(map(text, range(count)))


def interface(items: str) -> str:
    return f"package a:b; interface i {{ {items} }} world w {{ import i; export i; }}"


WORLDS: dict[str, Callable[[int], str]] = {
    "interfaces that are used": lambda n: (
        "package a:b;"
        + each(n, lambda i: f"interface i{i} {{ record t {{ x: u8 }} }} ")
        + each(n, lambda i: f"interface user{i} {{ use i{i}.{{t}}; f: func(x: t); }} ")
        + "world w { "
        + each(n, lambda i: f"import user{i}; export user{i}; ")
        + "}"
    ),
    "names for names": lambda n: (
        "package a:b; interface i0 { record t { x: u8 } variant v { x(u8) } }"
        + each(n, lambda i: f"interface i{i + 1} {{ use i{i}.{{t, v}}; }} ")
        + "world w { "
        + each(n, lambda i: f"import i{i}; ")
        + "}"
    ),
    "resources": lambda n: interface(each(n, lambda i: f"resource r{i} {{ constructor(); f: func(); }} ")),
    "aliases": lambda n: interface("record t0 { x: u8 } " + each(n, lambda i: f"type t{i + 1} = t{i}; ")),
    "types of one name": lambda n: interface(each(n, lambda i: f"record {hyphenated(i)} {{ x: u8 }} ")),
    "functions": lambda n: interface(each(n, lambda i: f"do{i}: func(x: u8); ")),
}


@pytest.mark.parametrize("kind", WORLDS)
def test_bindings_take_steps_in_proportion(kind: str) -> None:
    def make(count: int) -> Callable[[], object]:
        return partial(generate, parse_text(WORLDS[kind](count)).world(), "bindgen")

    assert grows_in_proportion(make)


def test_interfaces_are_told_apart_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0

    def equal(one: object, other: object) -> bool:
        nonlocal compared
        compared += 1
        return one is other

    for kind in (Interface, PackageName):
        monkeypatch.setattr(kind, "__hash__", kind.__hash__, raising=False)
        monkeypatch.setattr(kind, "__eq__", equal)
    imports = each(300, lambda i: f'(import "a:b{i}/c" (instance (export "f" (func)))) (import "x{i}" (instance)) ')
    component = decode(wat2wasm(f"(component {imports})"))
    assert len(world_of_component(component).interfaces) == 600
    assert compared < 2000


def test_types_of_one_name_that_are_used_in_one_place_have_short_names() -> None:
    def make(count: int) -> Callable[[], object]:
        home = '(instance $i{0} (type $t (record (field "x" u8))) (export "t" (type (eq $t))))'
        imports = each(count, lambda i: f'(import "a:b/c{i}" {home.format(i)}) (alias export $i{i} "t" (type $t{i})) ')
        uses = each(count, lambda i: f'(alias outer 1 $t{i} (type $t{i})) (export "f{i}" (func (result $t{i}))) ')
        component = decode(wat2wasm(f'(component {imports} (import "a:b/z" (instance {uses})))'))
        return partial(world_of_component, component)

    resolution: object = make(100)()
    names = list(getattr(resolution, "interfaces")[-1].types)  # noqa: B009
    assert names[:4] == ["t", "t-x", "t-x2", "t-x3"]
    assert len(set(names)) == 100
    assert grows_in_proportion(make)


def test_what_many_interfaces_have_in_common_is_read_within_a_bound() -> None:
    wide = f"(type $b (tuple {'u8 u16 ' * 900}))"
    imports = each(400, lambda i: f'(import "a:b/c{i}" (instance (type $it)))')
    shared = '(type $it (instance (alias outer 1 $b (type $b)) (export "f" (func (param "x" $b)))))'
    component = decode(wat2wasm(f"(component {wide} {shared} {imports})"))
    with pytest.raises(TooLongError):
        world_of_component(component)


def test_names_that_are_taken_often_stay_short() -> None:
    pool = Pool(["a"])
    taken = [pool.take("a") for _ in range(2000)]
    assert taken[:2] == ["a_", "a__"]
    assert taken[MOST_UNDERSCORES - 1 : MOST_UNDERSCORES + 1] == ["a" + "_" * MOST_UNDERSCORES, "a__9"]
    assert len(set(taken)) == 2000
    assert max(map(len, taken)) < 10


def world_of(imports: str) -> World:
    return world_of_component(decode(wat2wasm(f"(component {imports})"))).world()


SHARED = '(import "a:b/c" (instance $i (export "f" (func)))) ' + each(
    600, lambda i: f'(export "a:b/i{i}" (instance $i)) '
)
FUNCTIONS = "package a:b; world w { " + each(13_000, lambda i: f"import g{i}: func(); ") + "}"


@pytest.mark.parametrize(
    "make", [lambda: world_of(SHARED), lambda: parse_text(FUNCTIONS).world()], ids=["interfaces", "functions"]
)
def test_a_world_of_more_than_a_package_can_have_is_refused(make: Callable[[], World]) -> None:
    world = make()
    with pytest.raises(TooLongError, match="too many interfaces, types and functions"):
        generate(world, "bindgen")


def test_memory_for_bindings_is_in_proportion() -> None:
    wide = f"(type $b (tuple {'u8 u16 ' * 900}))"
    text = wide + each(12, lambda i: f'(import "f{i}" (func (param "x" $b))) ')
    assert_peak(partial(generate, world_of(text), "bindgen"), 16 << 20)
    with pytest.raises(TooLongError):
        generate(world_of(text + each(60, lambda i: f'(import "g{i}" (func (param "x" $b))) ')), "bindgen")
    many = each(350, lambda i: f'(import "a:b{i}/c" (instance (export "f" (func)))) ')
    assert_peak(partial(generate, world_of(many), "bindgen"), 4 << 20)


def test_the_cases_of_names_for_names_are_found_at_once() -> None:
    def make(count: int) -> Callable[[], object]:
        modules = Modules(parse_text(WORLDS["names for names"](count)).world())
        return lambda: [module.cases_of(t) for module in modules.imports for t in module.types.values()]

    assert grows_in_proportion(make)
