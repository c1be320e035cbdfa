"""Core modules with the worlds that bindings generators leave in them."""

from __future__ import annotations

import importlib
from pathlib import Path
from unittest import mock

import pytest

from tools.dense import label, prim, section, text, vec
from tools.dense_wit import in_package
from wippywasm import wit
from wippywasm.engine import wat2wasm
from wippywasm.inspect import inspect


def with_worlds(*packages: bytes) -> bytes:
    """A core module with the custom sections in which bindings generators leave these."""
    return wat2wasm("(module)") + b"".join(section(0, text("component-type:w") + p) for p in packages)


def of_record(names: int) -> bytes:
    """A package with so many names for a record of a thousand fields, and at its end a function of that type."""
    record = b"\1\x72" + vec([label(n) + prim(n) for n in range(1000)])
    named = [b"\4\0" + label(n) + b"\3\0\0" for n in range(names)]
    return in_package(b"\x42" + vec([record, *named, b"\4\0\1f\1\0"]))


def test_the_first_world_of_a_core_module_that_can_be_read_is_shown(tmp_path: Path) -> None:
    file = tmp_path / "guest.wasm"
    worlds = [wit.parse_text(f"package a:b; world {name} {{}}").main for name in ("first", "second")]
    file.write_bytes(with_worlds(b"", of_record(1), *[wit.encode(world) for world in worlds if world]))
    assert "world first" in inspect(file).world
    assert "world second" not in inspect(file).world


def test_worlds_of_a_core_module_share_one_budget(tmp_path: Path) -> None:
    file = tmp_path / "guest.wasm"
    file.write_bytes(with_worlds(*[of_record(40)] * 30))
    decode = importlib.import_module("wippywasm.wit.decode")
    with mock.patch.object(decode, "read_package", wraps=decode.read_package) as read:
        assert inspect(file).world == ""
    assert read.call_count < 6
    file.write_bytes(with_worlds(*[b""] * 10_000))
    with mock.patch.object(decode, "read_package", wraps=decode.read_package) as read:
        assert inspect(file).world == ""
    assert read.call_count < 8_000


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        ("interface i { @since(version = 1.0.0) f: func(); }", "// @since 1.0.1 can't be written in package"),
        ("world v { export f: func(); } world w {}", "world v {\n  export f: func();"),
    ],
    ids=["no text", "two worlds"],
)
def test_a_core_module_whose_world_gives_no_types_is_inspected(content: str, shown: str, tmp_path: Path) -> None:
    file = tmp_path / "guest.wasm"
    package = wit.parse_text(f"package a:b@1.0.0; {content}").main
    assert package is not None
    file.write_bytes(with_worlds(wit.encode(package).replace(b'1.0.0"}', b'1.0.1"}')))
    assert inspect(file).world.startswith(shown)
