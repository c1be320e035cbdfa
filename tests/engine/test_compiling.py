"""Bytes that are refused, features that an engine lacks, and each binary compiled once."""

from __future__ import annotations

import contextlib
import gc
import threading
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine.guests import build, call
from wippywasm import engine as engines
from wippywasm.binary.core_module import CoreModuleInfo, parse
from wippywasm.engine import wat2wasm
from wippywasm.engine.compiling import Compiler
from wippywasm.engine.features import LABELS, WASM_2_0, labels
from wippywasm.engine.port import Engine
from wippywasm.errors import BinaryError, MalformedError, UnsupportedFeatureError, ValidationError

HEADER = b"\0asm\1\0\0\0"
NEEDS = {
    "tail-call": "(module (func $f return_call $f))",
    "threads": "(module (memory 1 2 shared) (func (drop (i32.atomic.load (i32.const 0)))))",
    "multi-memory": "(module (memory 1) (memory 1))",
    "memory64": "(module (memory i64 1))",
    "exceptions": "(module (tag))",
    "gc": "(module (type (struct)) (func (param anyref)))",
    "function-references": "(module (type $t (func)) (func (param (ref $t)) (call_ref $t (local.get 0))))",
    "extended-const": "(module (global i32 (i32.add (i32.const 1) (i32.const 2))))",
    "relaxed-simd": """(module (func (result v128)
        (i8x16.relaxed_swizzle (v128.const i64x2 0 0) (v128.const i64x2 0 0))))""",
    "custom-page-sizes": "(module (memory 1 (pagesize 1)))",
    "wide-arithmetic": """(module (func (param i64 i64 i64 i64) (result i64 i64)
        (i64.add128 (local.get 0) (local.get 1) (local.get 2) (local.get 3))))""",
}


def test_every_feature_beyond_2_0_is_tried() -> None:
    assert set(NEEDS) == set(LABELS) - WASM_2_0


@pytest.mark.parametrize("feature", NEEDS)
def test_what_an_engine_lacks_is_named(engine: Engine, feature: str) -> None:
    wasm = wat2wasm(NEEDS[feature])
    if feature in engine.features:
        engine.compile(wasm)
        return
    with pytest.raises(UnsupportedFeatureError) as caught:
        engine.compile(wasm)
    assert caught.value.message == f"this module needs {LABELS[feature]}; {engine.name} has none"
    assert caught.value.hint == "use --engine wasmtime"
    assert caught.value.engine == engine.name


def test_the_message_of_the_specification(engine: Engine) -> None:
    if "tail-call" in engine.features:
        pytest.skip("wasmtime has tail calls")
    with pytest.raises(UnsupportedFeatureError) as caught:
        engine.compile(wat2wasm(NEEDS["tail-call"]))
    assert str(caught.value) == "this module needs tail calls; wasmer has none (use --engine wasmtime)"


def test_several_missing_features_are_all_named(engine: Engine) -> None:
    if "threads" in engine.features:
        pytest.skip("wasmtime has them all")
    both = "(module (memory 1 2 shared) (memory 1) (func $f (drop (i32.atomic.load (i32.const 0))) (return_call $f)))"
    with pytest.raises(UnsupportedFeatureError, match="needs tail calls, threads and several memories; wasmer"):
        engine.compile(wat2wasm(both))


def test_a_refused_module_leaves_the_engine_as_it_was(engine: Engine) -> None:
    """A panic of wasmer's compiler would spoil all that comes after it in its thread."""
    for text in NEEDS.values():
        try:
            engine.compile(wat2wasm(text))
        except UnsupportedFeatureError:
            pass
        assert call(build(engine.new_store(), '(module (func (export "f") (result i32) i32.const 4))'), "f") == 4


@pytest.mark.parametrize(
    ("wasm", "kind", "offset"),
    [
        (b"", MalformedError, 0),
        (b"\0asm", MalformedError, 4),
        (b"not wasm", MalformedError, 0),
        (HEADER + b"\x63\x00", MalformedError, 8),
        (HEADER + b"\x01\x05", MalformedError, None),
        (wat2wasm("(component)"), MalformedError, None),
        (wat2wasm("(module (func (result i32)))"), ValidationError, 24),
        (wat2wasm("(module (func (i32.add (i64.const 1) (i32.const 1)) drop))"), ValidationError, None),
        (wat2wasm("(module (func (call 7)))"), ValidationError, None),
        (wat2wasm('(module (func (export "a")))') + b"\x0a\x01\x00", BinaryError, None),
    ],
)
def test_wrong_bytes(engine: Engine, wasm: bytes, kind: type[BinaryError], offset: int | None) -> None:
    with pytest.raises(kind) as caught:
        engine.compile(wasm)
    if offset is not None:
        assert caught.value.offset == offset
    assert "\n" not in caught.value.message


def _section(number: int, body: bytes) -> bytes:
    return bytes([number, len(body)]) + body


def _body(code: bytes) -> bytes:
    """A module of one function."""
    code = bytes([1, len(code) + 1, 0]) + code
    return HEADER + _section(1, b"\x01\x60\x00\x00") + _section(3, b"\x01\x00") + _section(10, code)


_MEMORY = HEADER + _section(5, b"\x01\x00\x01")


@pytest.mark.parametrize(
    "wasm",
    [
        _body(b""),
        _body(b"\x01"),
        _body(b"\x02\x40\x0b"),
        _body(b"\x0b\x0b"),
        _body(b"\x0b\x01"),
        _body(b"\x02\x50\x0b\x0b"),
        _body(b"\x05\x0b"),
        _body(b"\xff\x0b"),
        _body(b"\xd0\x50\x1a\x0b"),
        _body(b"\xfc\x09\x00\x0b") + _section(11, b"\x01\x01\x00"),
        _body(b"\x0b")[:-1] + b"\x0b\x00",
        _body(b"\x0b").replace(b"\x0a\x04", b"\x0a\x05") + b"\x00",
        HEADER + _section(9, b"\x01\x09"),
        _MEMORY + _section(11, b"\x01\x09"),
        _MEMORY + _section(12, b"\x02") + _section(11, b"\x01\x00\x41\x00\x0b\x00"),
        _MEMORY + _section(12, b"\x01"),
        HEADER + _section(6, b"\x01\x7f\x02\x41\x00\x0b"),
    ],
)
def test_what_the_grammar_refuses_is_malformed(engine: Engine, wasm: bytes) -> None:
    with pytest.raises(MalformedError):
        engine.compile(wasm)


@pytest.mark.parametrize(
    "wasm",
    [
        _body(b"\x02\xe3\x00\x0b\x0b"),
        _body(b"\x20\x05\x1a\x0b"),
        wat2wasm('(module (func) (export "malformed" (func 0)) (export "malformed" (func 0)))'),
        wat2wasm("(module (memory 1) (data (offset (i32.eqz (i32.const 0)))))"),
        wat2wasm("(module (global i32 (i32.eqz (i32.const 0))))"),
    ],
)
def test_what_only_the_rules_refuse_is_invalid(engine: Engine, wasm: bytes) -> None:
    with pytest.raises(ValidationError):
        engine.compile(wasm)


@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(st.data())
def test_broken_bytes_give_our_errors(engine: Engine, data: st.DataObject) -> None:
    """A valid module with some bytes changed compiles or is refused, by an error of ours."""
    wasm = bytearray(_SAMPLE)
    for _ in range(data.draw(st.integers(1, 3))):
        wasm[data.draw(st.integers(8, len(wasm) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(BinaryError, UnsupportedFeatureError):
        engine.compile(bytes(wasm))


_SAMPLE = wat2wasm(
    """(module (import "a" "b" (func $f (param i32) (result i32))) (memory (export "m") 1) (table 2 funcref)
      (global $g (mut i64) (i64.const 5)) (elem (i32.const 0) $f $h) (data (i32.const 8) "hello")
      (func $h (param i32) (result i32) (local f64)
        (block (br_if 0 (i32.eqz (local.get 0))) (global.set $g (i64.extend_i32_u (call $f (local.get 0)))))
        (i32.load8_u (local.get 0))))"""
)


def test_a_slice_of_a_larger_file(engine: Engine) -> None:
    wasm = wat2wasm('(module (func (export "f") (result i32) i32.const 6))')
    view = memoryview(b"before" + wasm + b"after")[6 : 6 + len(wasm)]
    store = engine.new_store()
    assert call(store.instantiate(engine.compile(view), []), "f") == 6


def test_imports_and_exports_are_told(engine: Engine) -> None:
    module = engine.compile(_SAMPLE)
    assert module.imports == parse(_SAMPLE).imports
    assert module.exports == parse(_SAMPLE).exports


def test_labels_read_as_sentences() -> None:
    assert labels([]) == ""
    assert labels(["threads"]) == "threads"
    assert labels(["tail-call", "simd"]) == "tail calls and SIMD"
    assert labels(["tail-call", "gc", "memory64"]) == "tail calls, garbage collected types and 64-bit memories"


class _Artifact:
    """A module that can be weakly referenced."""


class _SlowBackend:
    """Compiles slowly and counts how often."""

    settings = ("slow", "1")

    def __init__(self) -> None:
        self.built = 0
        self.gate = threading.Event()

    def build(self, wasm: bytes, info: CoreModuleInfo) -> _Artifact:
        self.built += 1
        assert self.gate.wait(10)
        if wasm.endswith(b"bad"):
            raise ValidationError("bad", 0)
        return _Artifact()

    def serialize(self, module: _Artifact) -> bytes:
        return b"code"

    def deserialize(self, code: bytes, info: CoreModuleInfo) -> _Artifact | None:
        return _Artifact() if code == b"code" else None


def _compile_in_threads(compiler: Compiler[_Artifact], backend: _SlowBackend, wasm: bytes) -> list[Any]:
    outcomes: list[Any] = []

    def ask() -> None:
        try:
            outcomes.append(compiler.compile(wasm))
        except ValidationError as error:
            outcomes.append(error)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    backend.gate.set()
    for thread in threads:
        thread.join()
    return outcomes


def test_one_binary_is_compiled_once_for_all_who_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIPPYWASM_CACHE", "0")
    backend = _SlowBackend()
    compiler = Compiler(backend)
    outcomes = _compile_in_threads(compiler, backend, HEADER)
    assert len(outcomes) == 8
    assert len(set(map(id, outcomes))) == 1
    assert backend.built == 1
    assert compiler.compile(HEADER) is outcomes[0]
    outcomes.clear()
    gc.collect()
    compiler.compile(HEADER)
    assert backend.built == 2  # nobody held it any more


def test_all_who_ask_get_the_refusal_and_the_next_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIPPYWASM_CACHE", "0")
    backend = _SlowBackend()
    compiler = Compiler(backend)
    wasm = HEADER + b"\x00\x05\x01nbad"
    outcomes = _compile_in_threads(compiler, backend, wasm)
    assert [type(outcome) for outcome in outcomes] == [ValidationError] * 8
    built = backend.built
    with pytest.raises(ValidationError):
        compiler.compile(wasm)
    assert backend.built == built + 1


def test_an_engine_is_made_once_per_process(engine: Engine) -> None:
    assert engines.get(engine.name) is engine
