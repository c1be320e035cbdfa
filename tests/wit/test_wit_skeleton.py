"""Documents of worlds: a part is parsed to know that all of it can be, and names are looked at by themselves."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from unittest import mock

import pytest

from tests.binary.peaks import assert_peak
from tests.vectors import components, needs_vectors
from tools import dense
from wippywasm import binary
from wippywasm.bindgen import generate
from wippywasm.budget import BudgetError
from wippywasm.engine import wat2wasm
from wippywasm.errors import InvalidError, TooLongError, WippyError
from wippywasm.model import EnumType, Field, Prim, RecordType, ValType
from wippywasm.wit import Function, Interface, Param, TypeDef, World, parse_text, world_document, world_of_component

standalone = importlib.import_module("wippywasm.wit.standalone")
U8 = Prim("u8")
TEXT = """package a:b;
interface i { record r { a: u8 } resource z { constructor(); m: func(); n: static func(); }
  f: func(p: r); g: func(q: u8); }
world w { import i; export h: func(); }"""


def world_of(wasm: bytes) -> World:
    return world_of_component(binary.decode(wasm)).world()


def documents(makes: list[bytes]) -> int:
    """How many of these have a document; each of those parses."""
    found = 0
    for wasm in makes:
        try:
            world = world_of(wasm)
            text = world_document(world)
        except WippyError:
            continue
        parse_text(text)
        found += 1
    return found


def test_documents_of_dense_components_parse() -> None:
    assert documents([make(4_000) for make in dense.KINDS.values()]) > 80


@needs_vectors
def test_documents_of_the_vectors_parse() -> None:
    assert documents([wasm for _, wasm in components()]) > 200


@pytest.mark.parametrize("kind", ["methods", "imports of functions, usual names", "worlds of functions, exported"])
def test_thousands_of_functions_of_one_type_are_parsed_as_one(kind: str) -> None:
    world = world_of(dense.KINDS[kind](60_000))
    with mock.patch.object(standalone, "parse_text", wraps=parse_text) as parse:
        text = world_document(world)
    [parsed] = parse.call_args.args
    assert len(parsed) < len(text) / 2
    assert_peak(partial(world_document, world), 500_000 + 6 * len(text))


DENSE = ["imports of types", "imports of instances", "imports of instances with a function", "exports of instances"]


@pytest.mark.parametrize("kind", DENSE)
@pytest.mark.parametrize("write", [world_document, partial(generate, origin="x")], ids=["document", "bindings"])
def test_a_world_of_few_bytes_may_not_have_ever_so_many_types(kind: str, write: Callable[[World], object]) -> None:
    wasm = dense.KINDS[kind](20_000)

    def attempt() -> None:
        with pytest.raises((TooLongError, BudgetError)):
            write(world_of(wasm))

    attempt()
    assert_peak(attempt, 3_500_000)
    write(world_of(dense.KINDS[kind](2_000)))


@pytest.mark.parametrize("kind", ["worlds", "worlds, exported", "worlds of functions", "worlds with own types"])
def test_bindings_of_what_tools_make_take_no_more_than_the_component_is_worth(kind: str) -> None:
    wasm = dense.KINDS[kind](60_000)
    world = world_of(wasm)
    assert_peak(partial(generate, world, "x"), 2_500_000 + 24 * len(wasm))


@pytest.mark.parametrize("item", ['(export "f{}" (func (type $f)))', '(export "t{}" (type (eq $r)))'])
def test_a_world_may_not_have_one_interface_ever_so_often(item: str) -> None:
    """Each import would have all that the one type of instances has."""
    parts = " ".join(map(item.format, range(300)))
    outer = "(alias outer 1 $r' (type $r)) (type $f (func))"
    imports = " ".join(f'(import "a:b/i{n}" (instance (type $i)))' for n in range(800))
    wasm = wat2wasm(f"(component (type $r' (list u8)) (type $i (instance {outer} {parts})) {imports})")

    def attempt() -> None:
        with pytest.raises(TooLongError, match="functions and types"):
            world_of(wasm)

    attempt()
    assert_peak(attempt, 2_500_000 + 16 * len(wasm))


@pytest.mark.parametrize("item", ["function", "record", "enum"])
def test_nor_one_wide_type_in_ever_so_many_interfaces(item: str) -> None:
    """Each has a hundred parts, which are written out for every interface."""
    wasm = dense.KINDS[f"interfaces of one wide {item}"](20_000)

    def attempt() -> None:
        with pytest.raises(TooLongError, match="functions and types"):
            world_of(wasm)

    attempt()
    assert_peak(attempt, 2_500_000 + 16 * len(wasm))
    world_document(world_of(dense.KINDS[f"interfaces of one wide {item}"](1_500)))


def interface() -> tuple[World, Interface]:
    world = parse_text(TEXT).world()
    [found] = [i for i in world.imports if isinstance(i, Interface)]
    return world, found


def add(i: Interface, name: str, *params: Param) -> None:
    i.functions[name] = Function(name, params=list(params))


def add_method(i: Interface, name: str) -> None:
    full = f"[static]z.{name}"
    i.functions[full] = Function(full, "static", i.types["z"])


def define(i: Interface, kind: ValType) -> None:
    i.types["t"] = TypeDef("t", ("component",), i)
    i.types["t"].define(kind)


WRONG: dict[str, tuple[Callable[[Interface], None], str]] = {
    "a function in another case": (lambda i: add(i, "G"), "`G` and `g` differ only in the case"),
    "a function like a type": (lambda i: add(i, "R"), "`R` and `r` differ only in the case"),
    "a function that is no identifier": (lambda i: add(i, "x: func(); y"), "all lower case or all upper case"),
    "a parameter that is none": (lambda i: add(i, "x", Param("a b", U8)), "all lower case or all upper case"),
    "parameters": (lambda i: add(i, "x", Param("p", U8), Param("P", U8)), "`P` and `p` differ only in the case"),
    "methods": (lambda i: add_method(i, "M"), "`M` and `m` differ only in the case"),
    "fields": (lambda i: define(i, RecordType((Field("a", U8), Field("A", U8)))), "`A` and `a` differ only"),
    "cases": (lambda i: define(i, EnumType(("c", "d", "C"))), "`C` and `c` differ only in the case"),
    "a case without a name": (lambda i: define(i, EnumType(("c", ""))), "an identifier is missing"),
}


@pytest.mark.parametrize(("change", "why"), WRONG.values(), ids=WRONG)
def test_names_that_no_document_has_are_refused(change: Callable[[Interface], None], why: str) -> None:
    world, found = interface()
    world_document(world)
    change(found)
    with pytest.raises(InvalidError, match=f"WIT has no words for this world: .*{why}"):
        world_document(world)
