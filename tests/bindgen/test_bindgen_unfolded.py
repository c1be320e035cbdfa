"""Bindings for types that share their parts: whole or refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run, run
from tests.inspect.test_inspect_unfolded import exports, imports, pairs, wide
from wippywasm.bindgen import generate
from wippywasm.bindgen.sources import read_world
from wippywasm.engine import wat2wasm
from wippywasm.errors import TooLongError
from wippywasm.wit import parse_text

__all__ = ["run"]


@pytest.mark.parametrize(
    "text",
    [imports(pairs(17), 1), exports(pairs(17), 1), exports(pairs(13), 28), imports(wide(5000), 180)],
    ids=["import", "export", "exports", "wide imports"],
)
def test_bindings_that_unfold_are_refused(text: str, tmp_path: Path, run: Run) -> None:
    file = tmp_path / "guest.wasm"
    file.write_bytes(wat2wasm(text))
    with pytest.raises(TooLongError):
        generate(read_world(file), "bindgen")
    ran = run("bindgen", file, "-o", tmp_path / "package")
    assert ran.code == 2
    assert "too long to be written out" in ran.err
    assert not (tmp_path / "package").exists()


def test_sharing_within_reason_is_written_out(tmp_path: Path) -> None:
    file = tmp_path / "guest.wasm"
    file.write_bytes(wat2wasm(exports(pairs(6), 10)))
    files = generate(read_world(file), "bindgen")
    assert files["__init__.py"].count("int") == 20 * 2**6
    compile(files["__init__.py"], "__init__.py", "exec")


def test_a_long_text_has_bindings() -> None:
    functions = "".join(f"fn{i}: func(x: tuple<{'u8, list<s16>, ' * 40}list<u8, {i + 1}>>);" for i in range(2000))
    files = generate(
        parse_text(f"package a:b; interface i {{ {functions} }} world w {{ export i; }}").world(), "bindgen"
    )
    assert files["exports/i.py"].count("def fn1999") == 2
