"""Small texts that ask for much: worlds that copy each other, names and lines as long as a file."""

from __future__ import annotations

import importlib
import time
import tracemalloc
from collections.abc import Iterable
from functools import partial
from unittest import mock

import pytest

from tests.binary.peaks import assert_peak
from wippywasm.bindgen import generate
from wippywasm.errors import InvalidError, TooLongError, WitDiagnosticsError
from wippywasm.wit import World, encode, parse_text, standalone, world_document


def package(*items: str) -> str:
    return "package a:b;\n" + "\n".join(items)


def worlds(count: int, body: str) -> Iterable[str]:
    return (f"world w{i} {{ {body} }}" for i in range(count))


def functions(count: int) -> str:
    return " ".join(f"import xf{i}: func();" for i in range(count))


def chain(count: int) -> list[str]:
    items = (f"interface i{i} {{ use i{i - 1}.{{t}}; }}" for i in range(1, count))
    return ["interface i0 { type t = u8; }", *items]


AMPLIFYING = {
    "includes": package(f"world all {{ {functions(1000)} }}", *worlds(1000, "include all;")),
    "a chain of includes": package(
        "world w0 {}", *(f"world w{i} {{ import xf{i}: func(); include w{i - 1}; }}" for i in range(1, 1000))
    ),
    "implicit imports": package(*chain(1000), *worlds(1000, "import i999;")),
    "implicit imports of exports": package(*chain(1000), *worlds(1000, "export i999;")),
    "inline interfaces": package(
        f"world all {{ import x: interface {{ {functions(1000).replace('import ', '')} }} }}",
        *worlds(1000, "include all;"),
    ),
    "parameters": package(
        f"world all {{ import f: func({', '.join(f'p{i}: u8' for i in range(1000))}); }}",
        *worlds(1000, "include all;"),
    ),
}


@pytest.mark.parametrize("text", AMPLIFYING.values(), ids=AMPLIFYING)
def test_worlds_copy_only_so_much(text: str) -> None:
    with pytest.raises(WitDiagnosticsError, match="too much in total") as caught:
        parse_text(text)
    assert caught.value.diagnostics[0].line > 1


def test_worlds_may_copy_a_lot() -> None:
    found = parse_text(package(f"world all {{ {functions(100)} }}", *worlds(200, "include all;")))
    assert len(found.world("w199").imports) == 100


def seconds(text: str) -> float:
    begin = time.process_time()
    parse_text(text)
    return time.process_time() - begin


def test_many_renames_and_many_packages_take_no_square_of_time() -> None:
    count = 4000
    renames = ", ".join(f"xf{i} as xg{i}" for i in range(count))
    assert seconds(package(f"world v {{ {functions(count)} }}", f"world w {{ include v with {{ {renames} }} }}")) < 4
    imports = " ".join(f"import x:p{i}/i;" for i in range(count))
    nested = (f"package x:p{i} {{ interface i {{}} }}" for i in range(count))
    assert seconds(package(f"world w {{ {imports} }}", *nested)) < 6


@pytest.mark.parametrize("tail", ["-" * 10_000_000, "-" + "a." * 5_000_000, "-" + "a " * 3_000_000])
def test_a_version_of_ten_megabytes_is_refused_at_its_beginning(tail: str) -> None:
    with pytest.raises(WitDiagnosticsError, match="at most 4,096 characters"):
        parse_text("package a:b@1.0.0" + tail)


def test_a_line_of_ten_megabytes_takes_little_memory() -> None:
    text = "package a:b; interface i {" + " " * 10_000_000 + "f: func(x: zz); }"
    tracemalloc.start()
    try:
        with pytest.raises(WitDiagnosticsError) as caught:
            parse_text(text)
        assert tracemalloc.get_traced_memory()[1] < len(text)
    finally:
        tracemalloc.stop()
    assert len(str(caught.value)) < 500


def test_the_number_of_complaints_is_bounded() -> None:
    with pytest.raises(WitDiagnosticsError) as caught:
        parse_text(package("interface i {", *(f"x{i}: func(x: zz);" for i in range(1000)), "}"))
    assert len(caught.value.diagnostics) == 25
    assert (caught.value.more, caught.value.is_all) == (75, False)
    assert str(caught.value).endswith("\nand at least 75 more")


def test_so_many_complaints_end_the_search_for_more() -> None:
    item = "f: func(x: zz); g: func(x: u8); use k.{t}; enum e {} "
    tracemalloc.start()
    try:
        with pytest.raises(WitDiagnosticsError, match="and at least 75 more"):
            parse_text(package(*(f"interface i{i} {{ {item * 30} }}" for i in range(300))))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    with pytest.raises(WitDiagnosticsError, match="and 15 more"):
        parse_text(package(f"interface i {{ {'f: func(x: zz); ' * 20} }} interface j {{ {'g: func(x: zz); ' * 20} }}"))
    assert peak < 80_000_000


@pytest.mark.parametrize(
    "text",
    [
        package(f"interface i {{ f: func(x: {'a' * 100_000}); }}"),
        package(f"interface {'a' * 100_000} {{ type t = zz; use {'b' * 100_000}.{{t}}; }}"),
        package(f"interface {'aB' * 50_000} {{}}"),
        f"package a:b@{'1' * 100_000}.0.0;",
        package(f"world w {{ import {'a' * 100_000}:b; }}"),
    ],
)
def test_long_names_make_no_long_messages(text: str) -> None:
    with pytest.raises(WitDiagnosticsError) as caught:
        parse_text(text)
    assert len(str(caught.value)) < 2500


def test_bytes_hold_only_so_many_copies_of_an_interface(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.import_module("wippywasm.wit.encode"), "MAX_ITEMS", 10_000)
    body = " ".join(f"x{i}: func();" for i in range(200))
    package_of = [
        parse_text(package(f"interface i {{ {body} }}", *worlds(n, "import i;"))).packages[0] for n in (40, 60)
    ]
    assert encode(package_of[0])
    with pytest.raises(InvalidError, match="more than 10,000 items"):
        encode(package_of[1])


def wide(functions: int, items: int) -> World:
    """A world of functions that each have a tuple of their own."""
    names = ("u8", "s8", "u16", "s16", "u32", "s32", "u64")
    tuples = (", ".join(names[(i * (n + 1)) % 7] for i in range(items)) for n in range(functions))
    imports = (f"import xf{n}: func(x: tuple<{types}>);" for n, types in enumerate(tuples))
    return parse_text(package(f"world w {{ {' '.join(imports)} }}")).world()


def test_a_long_document_takes_little_and_one_that_is_too_long_is_not_parsed() -> None:
    long = wide(24, 9000)
    assert world_document(long).count("tuple<") == 24
    assert_peak(partial(world_document, long), 20_000_000)
    with mock.patch.object(standalone, "parse_text") as parse, mock.patch.object(standalone, "MOST", 500_000):
        for write in (world_document, partial(generate, origin="x")):
            with pytest.raises(TooLongError, match="more than 500,000 characters"):
                write(long)
    parse.assert_not_called()
