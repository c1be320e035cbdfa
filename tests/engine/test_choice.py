"""Which engine runs, and what is said about those that do not."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest
from wasmtime import _bindings as bindings

from wippywasm import engine, load
from wippywasm.engine import wasmtime_capi as capi
from wippywasm.engine.features import LABELS
from wippywasm.errors import InvalidError, NotFoundError, UnavailableError, WatSyntaxError

HAS_WASMER = sys.version_info < (3, 11)


def test_the_default_is_wasmer_where_it_runs() -> None:
    assert engine.get().name == ("wasmer" if HAS_WASMER else "wasmtime")
    assert engine.get() is engine.get(engine.get().name)


def test_wasmtime_can_be_chosen_everywhere() -> None:
    assert engine.get("wasmtime").name == "wasmtime"


@pytest.mark.skipif(HAS_WASMER, reason="wasmer runs here")
def test_wasmer_is_refused_with_the_reason() -> None:
    with pytest.raises(UnavailableError, match=r"CPython before 3.11 only, this is 3.*use --engine wasmtime"):
        engine.get("wasmer")


def test_unknown_engines_are_refused_with_a_suggestion() -> None:
    with pytest.raises(NotFoundError, match=r"no engine is named 'wasmtim' \(did you mean wasmtime\?\)"):
        engine.get("wasmtim")
    with pytest.raises(NotFoundError, match="use wasmer or wasmtime"):
        engine.get("v8")


def test_available_tells_all_with_the_default_first() -> None:
    infos = engine.available()
    assert {info.name for info in infos} == {"wasmer", "wasmtime"}
    assert infos[0].default
    assert infos[0].usable
    assert [info.default for info in infos].count(True) == 1
    by_name = {info.name: info for info in infos}
    assert by_name["wasmtime"].features == frozenset(LABELS)
    assert by_name["wasmtime"].version.startswith("50.")
    assert by_name["wasmer"].usable == HAS_WASMER
    assert all(info.why for info in infos)
    if HAS_WASMER:
        assert by_name["wasmer"].version == "1.1.0"
        assert "tail-call" not in by_name["wasmer"].features


def test_importing_the_package_loads_no_engine() -> None:
    code = "import sys, wippywasm.engine; print([m for m in ('wasmer', 'wasmtime') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_sizes_that_the_binding_relies_on() -> None:
    """`wasmtime_extern_t`, `wasmtime_val_t` and `wasmtime_instance_t` of the pinned major version."""
    assert (capi.EXTERN_SIZE, capi.VAL_SIZE, capi.INSTANCE_SIZE) == (32, 32, 16)
    assert bindings.wasmtime_extern_t.of.offset == capi.EXTERN_OF
    assert bindings.wasmtime_val_t.of.offset == capi.VAL_OF
    assert ctypes.sizeof(bindings.wasmtime_val_raw_t) == capi.RAW_SIZE


def test_text_of_modules_and_components() -> None:
    assert engine.wat2wasm("(module)") == b"\0asm\1\0\0\0"
    assert engine.wat2wasm("(component)") == b"\0asm\x0d\0\1\0"


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("(module x)", 1, 9, r"expected `\(`"),
        ("(module\n  (func\n   i32.bad))", 3, 4, "unknown operator"),
        ("(module (func call $x))", 1, 20, r"unknown func.*\$x"),
        ("(module (func", 1, 14, "expected"),
        ('(module (export "ä" (func $f)))', 1, None, r"\$f"),
    ],
)
def test_text_that_does_not_parse_is_shown_with_its_place(text: str, line: int, column: int | None, words: str) -> None:
    with pytest.raises(WatSyntaxError, match=words) as caught:
        engine.wat2wasm(text)
    assert caught.value.details["line"] == line
    if column is not None:
        assert caught.value.details["column"] == column
        assert str(caught.value).startswith(f"line {line}, column {column}: ")
    assert "^" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "place"), [(b"(module\n x)", "bad.wat:2:2: expected"), (b"\0asm\1\0\0\0\7", "bad.wat: unexpected end")]
)
def test_a_file_that_is_refused_is_named(content: bytes, place: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.wat"
    path.write_bytes(content)
    for source in (path, str(path)):
        with pytest.raises(InvalidError) as caught:
            load(source)
        assert str(caught.value).startswith(f"{tmp_path}/{place}")
    with pytest.raises(InvalidError) as caught:
        load(content)
    assert "bad.wat" not in str(caught.value)
