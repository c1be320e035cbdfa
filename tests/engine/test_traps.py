"""Every trap has the code that the specification's tests expect, the same on every engine, and a bounded backtrace."""

from __future__ import annotations

import pytest

from tests.engine.guests import build, call, calling
from wippywasm.engine import wat2wasm
from wippywasm.engine.port import NO_LIMITS, Engine, Store, StoreLimits
from wippywasm.engine.traps import MAX_FRAMES
from wippywasm.errors import Trap

TRAPS = {
    "unreachable": "unreachable",
    "integer divide by zero": "(drop (i32.div_s (i32.const 1) (i32.const 0)))",
    "integer overflow": "(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))",
    "invalid conversion to integer": "(drop (i32.trunc_f32_s (f32.const nan)))",
    "out of bounds memory access": "(drop (i32.load (i32.const 65536)))",
    "out of bounds table access": "(drop (table.get $t (i32.const 9)))",
    "uninitialized element": "(call_indirect (i32.const 0))",
    "indirect call type mismatch": "(call_indirect (type $other) (i32.const 1))",
    "call stack exhausted": "(call $deep)",
}


def trap_module(body: str) -> str:
    return f"""(module $traps (type $other (func (param) (result)))
      (memory 1) (table $t 2 funcref) (elem (i32.const 1) $number)
      (func $number (result i32) i32.const 1)
      (func $deep (call $deep))
      (func $culprit {body})
      (func (export "go") (call $culprit)))"""


@pytest.mark.parametrize("code", TRAPS)
def test_codes(engine: Engine, code: str) -> None:
    instance = calling(engine, trap_module(TRAPS[code]))
    with pytest.raises(Trap) as caught:
        call(instance, "go")
    assert caught.value.code == code
    assert code in str(caught.value)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("(memory.fill (i32.const 1) (i32.const 0) (i32.const 65536))", "out of bounds memory access"),
        ("(drop (i64.rem_u (i64.const 1) (i64.const 0)))", "integer divide by zero"),
        ("(drop (i32.trunc_f64_u (f64.const 1e20)))", "integer overflow"),
        ("(call_indirect (i32.const 2))", "out of bounds table access"),
        ("(table.set $t (i32.const 2) (ref.null func))", "out of bounds table access"),
    ],
)
def test_other_ways_to_the_same_traps(engine: Engine, body: str, code: str) -> None:
    instance = calling(engine, trap_module(body))
    with pytest.raises(Trap) as caught:
        call(instance, "go")
    assert caught.value.code == code


def test_an_indirect_call_out_of_bounds_has_the_words_of_both_its_names(engine: Engine) -> None:
    instance = calling(engine, trap_module("(call_indirect (i32.const 2))"))
    with pytest.raises(Trap, match="undefined element: out of bounds table access"):
        call(instance, "go")


def test_frames_have_names_innermost_first(engine: Engine) -> None:
    instance = calling(engine, trap_module("unreachable"))
    with pytest.raises(Trap) as caught:
        call(instance, "go")
    frames = caught.value.frames
    assert [frame.function_index for frame in frames] == [2, 3]
    assert frames[0].function == "culprit"
    assert {frame.module for frame in frames} == {"traps"}
    assert 0 < frames[0].offset < 200
    assert caught.value.details["code"] == "unreachable"
    assert "culprit" in str(caught.value)


@pytest.mark.parametrize("limits", [NO_LIMITS, StoreLimits(interruptible=True), StoreLimits(memory_bytes=1 << 20)])
def test_no_offset_is_beyond_the_file(engine: Engine, limits: StoreLimits) -> None:
    wasm = wat2wasm('(module $m (memory 1) (func $again (export "go") (call $again)))')
    with pytest.raises(Trap, match="stack") as caught:
        call(engine.new_store(limits).instantiate(engine.compile(wasm), []), "go")
    assert max(frame.offset for frame in caught.value.frames) < len(wasm)
    assert {frame.module for frame in caught.value.frames} == {"m"}


@pytest.mark.parametrize("limits", [NO_LIMITS, StoreLimits(interruptible=True), StoreLimits(memory_bytes=1 << 20)])
def test_offsets_are_those_of_the_file(engine: Engine, limits: StoreLimits) -> None:
    wasm = wat2wasm(
        """(module (memory 1) (table 1 funcref) (func $one (param i32)
             (loop $l (drop (i32.const 77)) (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
             (drop (i32.const 4711)) unreachable)
           (func (export "go") (loop (loop (call $one (i32.const 3)))) (drop (i32.const 4712))))"""
    )
    instance = engine.new_store(limits).instantiate(engine.compile(wasm), [])
    with pytest.raises(Trap) as caught:
        call(instance, "go")
    trap = wasm.index(b"\x41\xe7\x24\x1a\x00") + 4
    calls = wasm.index(b"\x10\x00\x0b\x0b\x41\xe8\x24")
    assert [frame.offset for frame in caught.value.frames] == [trap, calls]
    assert f"@ {trap:#x}" in str(caught.value)


def test_modules_without_names_have_indices(engine: Engine) -> None:
    instance = calling(engine, '(module (func (export "go") (unreachable)))')
    with pytest.raises(Trap) as caught:
        call(instance, "go")
    assert caught.value.frames[0].function is None
    assert caught.value.frames[0].module is None
    assert "func[0]" in str(caught.value)


def test_an_overflow_keeps_some_tens_of_frames(engine: Engine) -> None:
    instance = calling(engine, trap_module("(call $deep)"))
    with pytest.raises(Trap) as caught:
        call(instance, "go")
    assert 10 <= len(caught.value.frames) <= MAX_FRAMES
    assert {frame.function for frame in caught.value.frames} == {"deep"}
    assert len(str(caught.value)) < 300
    assert caught.value.__context__ is None


def test_hostile_names_do_not_change_the_code(engine: Engine) -> None:
    """A function's name may hold lines that look like an engine's own."""
    instance = calling(
        engine,
        """(module (memory 0)
          (func $"x\\n    at y (z[0]:0x1)\\nunreachable" (export "go") (drop (i32.load (i32.const 0)))))""",
    )
    with pytest.raises(Trap) as caught:
        call(instance, "go")
    assert caught.value.code == "out of bounds memory access"


def test_an_instance_goes_on_after_a_trap(store: Store) -> None:
    """Poisoning is the business of those above."""
    instance = build(
        store,
        """(module (global $n (mut i32) (i32.const 0))
          (func (export "trap") (global.set $n (i32.const 5)) unreachable)
          (func (export "get") (result i32) (global.get $n)))""",
    )
    for _ in range(3):
        with pytest.raises(Trap):
            call(instance, "trap")
    assert call(instance, "get") == 5


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("(module (func $s unreachable) (start $s))", "unreachable"),
        ('(module (memory 1) (data (i32.const 70000) "x"))', "out of bounds memory access"),
        ("(module (table 1 funcref) (elem (i32.const 5) $f) (func $f))", "out of bounds table access"),
    ],
)
def test_traps_while_instantiating(store: Store, text: str, code: str) -> None:
    with pytest.raises(Trap) as caught:
        build(store, text)
    assert caught.value.code == code


def test_an_overflow_leaves_the_instance_usable(engine: Engine) -> None:
    instance = calling(
        engine,
        """(module (func $deep (call $deep)) (func (export "go") (call $deep))
          (func (export "fine") (result i32) i32.const 3))""",
    )
    for _ in range(2):
        with pytest.raises(Trap, match="call stack exhausted"):
            call(instance, "go")
        assert call(instance, "fine") == 3


def test_exceptions_that_nobody_catches(engine: Engine) -> None:
    if "exceptions" not in engine.features:
        pytest.skip("wasmer has no exception handling")
    instance = calling(engine, '(module (tag $t) (func (export "go") (throw $t)))')
    for _ in range(2):
        with pytest.raises(Trap) as caught:
            call(instance, "go")
        assert caught.value.code == "uncaught exception"
    with pytest.raises(Trap) as caught:
        calling(engine, "(module $m (tag $t) (func $begin (throw $t)) (start $begin))")
    assert caught.value.code == "uncaught exception"
    assert [frame.function for frame in caught.value.frames] == ["begin"]


def test_null_references(engine: Engine) -> None:
    if "gc" not in engine.features:
        pytest.skip("wasmer has no typed references")
    instance = calling(engine, '(module (type $f (func)) (func (export "go") (call_ref $f (ref.null $f))))')
    with pytest.raises(Trap) as caught:
        call(instance, "go")
    assert caught.value.code == "null reference"
