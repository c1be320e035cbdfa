"""Halves of surrogate pairs in packages that Python code has made: no bytes hold them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from wippywasm.errors import InvalidError
from wippywasm.wit import (
    Function,
    Package,
    PackageName,
    Param,
    Stability,
    encode,
    encode_imports,
    encode_world,
    parse_text,
)

HALF = "\ud800"
TEXT = "package a:b; interface i { record r { a: u8 } f: func(p: r); } world w { import g: func(q: u8); }"


def package() -> Package:
    return parse_text(TEXT).packages[-1]


def name_function(p: Package) -> None:
    p.interfaces["i"].functions["f"].name = f"f{HALF}"


def name_parameter(p: Package) -> None:
    params = p.interfaces["i"].functions["f"].params
    params[0] = Param(f"p{HALF}", params[0].type)


def name_interface(p: Package) -> None:
    p.interfaces[f"i{HALF}"] = p.interfaces.pop("i")


def name_package(p: Package) -> None:
    p.name = PackageName(f"a{HALF}", "b")


def document(p: Package) -> None:
    p.interfaces["i"].docs = f"says {HALF}"


def gate(p: Package) -> None:
    p.interfaces["i"].stability = Stability(None, f"f{HALF}")


def identify(p: Package) -> None:
    p.interfaces["i"].functions["f"].external_id = HALF


CHANGES = [name_function, name_parameter, name_interface, name_package, document, gate, identify]


@pytest.mark.parametrize("change", CHANGES)
def test_half_of_a_surrogate_pair_is_refused(change: Callable[[Package], None]) -> None:
    found = package()
    change(found)
    with pytest.raises(InvalidError, match=r"\\ud800' ends in half of a surrogate pair") as caught:
        encode(found)
    assert str(caught.value).isascii()


def test_worlds_are_refused_as_well() -> None:
    world = package().worlds["w"]
    world.imports[HALF] = world.imports.pop("g")
    function = world.imports[HALF]
    assert isinstance(function, Function)
    function.name = HALF
    for write in (encode_world, encode_imports):
        with pytest.raises(InvalidError, match="half of a surrogate pair"):
            write(world)
