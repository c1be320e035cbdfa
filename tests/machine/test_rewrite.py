"""Rewritten modules: valid, equal in what they do, and asked for their count."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wippywasm
from wippywasm import engine as engines
from wippywasm.binary import core_module
from wippywasm.engine.growth import Allowance
from wippywasm.engine.port import StoreLimits
from wippywasm.engine.rewrite import (
    NOTED,
    START,
    TABLE,
    TICK,
    Origin,
    Rewritten,
    ask_for_growth,
    note_growth,
    placing_module,
    rewrite,
)
from wippywasm.engine.rewrite.leb import sized
from wippywasm.engine.wasmtime_engine import WasmtimeEngine
from wippywasm.errors import Trap, UnsupportedFeatureError

PLACE = placing_module((TICK,))


def instantiate(wasm: bytes | Rewritten, ticks: list[int] | None = None, count: int = 1) -> Any:
    """An instance on wasmtime; with `ticks`, of the rewritten module, whose ticks are counted."""
    engine = engines.get("wasmtime")
    store = engine.new_store()
    rewritten = rewrite(wasm) if ticks is not None and not isinstance(wasm, Rewritten) else wasm
    bare = rewritten.wasm if isinstance(rewritten, Rewritten) else rewritten
    instance = store.instantiate(engine.compile(bare), [])
    if ticks is None or not isinstance(rewritten, Rewritten):
        return instance

    def tick() -> int:
        ticks.append(1)
        return count

    types = rewritten.functions
    hosts = list(map(store.host_func, types, [tick, *Allowance(StoreLimits(), set()).functions]))
    store.instantiate(engine.compile(placing_module(types)), [instance.export(TABLE), *hosts])
    return instance


# ---- programs drawn at random: each terminates, since loops count down

NUMBERS = st.sampled_from(["i32.const 7", "i32.const -1", "local.get $a", "local.get $b", "global.get $g"])
OPERATORS = st.sampled_from(["i32.add", "i32.sub", "i32.mul", "i32.xor", "i32.rotl", "i32.lt_s", "i32.div_s"])
EXPRESSIONS = st.recursive(
    NUMBERS,
    lambda inner: st.one_of(
        st.builds(lambda o, a, b: f"{a} {b} {o}", OPERATORS, inner, inner),
        st.builds(lambda a, b, c: f"{a} if (result i32) {b} else {c} end", inner, inner, inner),
        st.builds(lambda a: f"{a} i32.const 0xfc i32.and i32.load", inner),
        st.builds(lambda a: f"{a} call $helper", inner),
        st.builds(lambda a, b: f"{a} {b} i32.const 3 i32.and call_indirect (param i32) (result i32)", inner, inner),
        st.builds(lambda a, b: f"block (result i32) {a} {b} i32.const 1 i32.and br_if 0 end", inner, inner),
    ),
    max_leaves=8,
)
STATEMENTS = st.recursive(
    st.one_of(
        EXPRESSIONS.map(lambda e: f"{e} local.set $a"),
        EXPRESSIONS.map(lambda e: f"{e} global.set $g"),
        EXPRESSIONS.map(lambda e: f"i32.const 16 {e} i32.store"),
        EXPRESSIONS.map(lambda e: f"block block block {e} i32.const 3 i32.and br_table 0 1 2 end nop end end"),
        st.just("f64.const 1.5 f64.const 2.5 f64.mul i32.trunc_sat_f64_s local.set $b"),
        st.just("i32.const 0 i32.const 1 i32.const 8 memory.fill"),
        st.just("i32.const 8 i32.const 3 local.get $a i32.const 15 i32.and memory.copy"),
        st.just("i32.const 32 i32.const 0 i32.const 4 memory.init $d"),
        st.just("i32.const 0 i32.const 1 local.get $b table.copy"),
        st.just("i32.const 1 ref.func $helper i32.const 1 table.fill"),
        st.just("i32.const 1 i32.const 0 i32.const 1 table.init $e"),
        st.just("ref.null func i32.const 1 table.grow drop"),
        EXPRESSIONS.map(lambda e: f"{e} memory.grow local.set $b"),
        st.just("v128.const i32x4 1 2 3 4 i32x4.extract_lane 2 local.set $a"),
    ),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(" ".join),
        st.builds(
            lambda n, body: (
                f"i32.const {n} local.set $n loop {body} local.get $n i32.const 1 i32.sub local.tee $n "
                "i32.const 0 i32.gt_s br_if 0 end"
            ),
            st.integers(1, 5),
            EXPRESSIONS.map(lambda e: f"{e} local.set $b"),
        ),
    ),
    max_leaves=6,
)


def program(body: str, result: str) -> bytes:
    return engines.wat2wasm(
        f"""(module $drawn (memory (export "memory") 1 3) (global $g (export "g") (mut i32) (i32.const 3))
          (table 2 funcref) (elem (i32.const 0) $helper $helper) (data (i32.const 0) "some bytes to read")
          (data $d "more") (elem $e func $helper)
          (func $helper (param $a i32) (result i32) local.get $a i32.const 3 i32.add)
          (func (export "run") (param $a i32) (param $b i32) (result i32) (local $n i32) {body} {result}))"""
    )


def outcome(instance: Any, a: int, b: int, origin: Origin | None = None) -> Any:
    try:
        result = instance.export("run").call(a, b)
    except Trap as trap:
        frames = trap.frames
        if origin is not None:
            assert {frame.module for frame in frames} == {origin.mark}
            frames = tuple(replace(f, module=origin.name, offset=origin.offsets.original(f.offset)) for f in frames)
        result = trap.code, frames
    return result, instance.export("g").get(), bytes(instance.export("memory").view()[:64])


@settings(max_examples=60)
@given(STATEMENTS, EXPRESSIONS, st.integers(-3, 300), st.integers(-3, 300))
def test_it_behaves_equally(body: str, result: str, a: int, b: int) -> None:
    wasm = program(body, result)
    rewritten = rewrite(wasm)
    assert outcome(instantiate(rewritten, []), a, b, rewritten.origin) == outcome(instantiate(wasm), a, b)


def test_what_somebody_has_read_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    wasm = program("", "i32.const 1")
    info, expected = core_module.parse(wasm), rewrite(wasm)
    monkeypatch.setattr(core_module, "parse", None)
    assert rewrite(wasm, info).wasm == expected.wasm


def test_what_is_beyond_the_code_has_no_offset() -> None:
    rewritten = rewrite(program("", "i32.const 1"))
    original = rewritten.origin.offsets.original
    assert original(len(rewritten.wasm) + 1) == original(0x4736) == 0


def asking(rewritten: Rewritten) -> Any:
    """An instance on wasmtime of a module that asks, and may grow as it likes."""
    engine = engines.get("wasmtime")
    store = engine.new_store()
    types = rewritten.functions
    functions = [*(lambda: 1,) * (TICK in types), *Allowance(StoreLimits(), set()).functions]
    instance = store.instantiate(engine.compile(rewritten.wasm), [])
    answers = list(map(store.host_func, types, functions))
    store.instantiate(engine.compile(placing_module(types)), [instance.export(TABLE), *answers])
    return instance


@settings(max_examples=60)
@given(STATEMENTS, EXPRESSIONS, st.integers(-3, 300), st.integers(-3, 300))
def test_it_behaves_equally_where_it_asks(body: str, result: str, a: int, b: int) -> None:
    wasm = program(f"{body} i32.const 0 memory.grow drop", result)
    plain = outcome(instantiate(wasm), a, b)
    rewritten = ask_for_growth(wasm)
    assert rewritten is not None
    assert outcome(asking(rewritten), a, b, rewritten.origin) == plain
    both = rewrite(wasm)
    assert outcome(asking(both), a, b, both.origin) == plain


@settings(max_examples=60)
@given(STATEMENTS, EXPRESSIONS, st.integers(-3, 300), st.integers(-3, 300))
def test_it_behaves_equally_where_it_notes(body: str, result: str, a: int, b: int) -> None:
    wasm = program(f"{body} i32.const 0 memory.grow drop", result)
    noting = note_growth(wasm)
    assert noting is not None
    assert outcome(as_it_is(noting.wasm), a, b, noting.origin) == outcome(as_it_is(wasm), a, b)


def as_it_is(wasm: bytes) -> Any:
    """An instance on wasmtime, which rewrites nothing."""
    engine = engines.get("wasmtime")
    assert isinstance(engine, WasmtimeEngine)
    return engine.new_store().instantiate(engine.compile_own(wasm), [])


@pytest.mark.parametrize(
    ("space", "grow", "noted"),
    [
        ("(memory 1 3)", "(memory.grow (i32.const 2))", (0, 0)),
        ("(memory 1 3)", "(memory.grow (i32.const 3))", (4 << 16, 0)),
        ("(memory 1 3)", "(memory.grow (i32.const -1))", (1 << 48, 0)),
        ("(memory i64 1 3)", "(i32.wrap_i64 (memory.grow (i64.const 9)))", (10 << 16, 0)),
        ("(memory i64 1 3)", "(i32.wrap_i64 (memory.grow (i64.const -1)))", ((1 << 64) - 1, 0)),
        ("(memory i64 1 3)", "(i32.wrap_i64 (memory.grow (i64.const 0x2000000000000)))", ((1 << 64) - 1, 0)),
        ("(memory 5 5 (pagesize 1))", "(memory.grow (i32.const 7))", (12, 0)),
        ("(memory 1 1) (memory 2 3)", "(memory.grow 1 (i32.const 5))", (7 << 16, 0)),
        ("(table 1 3 funcref)", "(table.grow (ref.null func) (i32.const 2))", (0, 0)),
        ("(table 1 3 funcref)", "(table.grow (ref.null func) (i32.const 3))", (0, 4)),
        ("(table i64 1 3 externref)", "(i32.wrap_i64 (table.grow (ref.null extern) (i64.const 4)))", (0, 5)),
    ],
)
def test_what_was_refused_is_noted(space: str, grow: str, noted: tuple[int, int]) -> None:
    rewritten = note_growth(engines.wat2wasm(f'(module {space} (func (export "go") (result i32) {grow}))'))
    assert rewritten is not None
    instance = as_it_is(rewritten.wasm)
    went = instance.export("go").call()
    assert (went == -1) == any(noted)
    assert tuple(instance.export(name).get() % (1 << 64) for name in NOTED) == noted
    instance.export("go").call()  # a second time it is refused in any case
    assert any(instance.export(name).get() for name in NOTED)


def test_offsets_before_between_and_after_what_was_rewritten() -> None:
    growth = "(drop (memory.grow (i32.const 0)))"
    bodies = ["", growth, "nop", growth + "nop" + growth, "", "nop"]
    functions = [f'(func $f{k} (export "f{k}") nop {body} unreachable)' for k, body in enumerate(bodies)]
    wasm = engines.wat2wasm(f"(module $m (memory 1) {''.join(functions)})")
    engine = engines.get("wasmtime")
    noting, bare = engine.new_store().instantiate(engine.compile(wasm), []), as_it_is(wasm)
    for k in range(len(bodies)):
        frames = []
        for instance in (noting, bare):
            function: Any = instance.export(f"f{k}")
            with pytest.raises(Trap) as caught:
                function.call()
            frames.append(caught.value.frames)
        assert frames[0] == frames[1]
        assert wasm[frames[0][0].offset] == 0


def test_every_round_of_a_loop_and_every_call_counts() -> None:
    wasm = engines.wat2wasm(
        """(module (func $leaf) (func (export "run") (param i32)
          (loop $l (call $leaf) (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"""
    )
    ticks: list[int] = []
    run = instantiate(wasm, ticks).export("run").call
    run(6000)  # 10,000 checks go by before the first tick
    before = len(ticks)
    run(100)
    assert before >= 2000
    assert len(ticks) - before == 201


def test_code_without_loops_costs_by_its_length() -> None:
    division = "(local.set 0 (i32.div_u (local.get 0) (i32.const 1)))"
    wasm = engines.wat2wasm(
        f"""(module (func (export "run") (param i32) (result i32)
          (loop $l (br_if $l (i32.eqz (local.get 0))) {division * 1000}) (local.get 0)))"""
    )
    ticks: list[int] = []
    run = instantiate(wasm, ticks).export("run").call
    for _ in range(100):  # 10,000 checks go by before the first tick
        run(5)
    before = len(ticks)
    assert before
    run(5)
    assert len(ticks) == before + 2  # for the function and for its loop, both of which cost more than the count


@pytest.mark.parametrize(
    "operation",
    [
        "(memory.fill (i32.const 0) (i32.const 7) (i32.const 65536))",
        "(memory.copy (i32.const 0) (i32.const 7) (i32.const 65000))",
        "(memory.init $d (i32.const 0) (i32.const 0) (i32.const 4000))",
        "(table.fill $t (i32.const 0) (ref.null func) (i32.const 1000))",
        "(table.copy $t $t (i32.const 0) (i32.const 1) (i32.const 999))",
        "(table.init $t $e (i32.const 0) (i32.const 0) (i32.const 200))",
        "(drop (table.grow $t (ref.null func) (i32.const 100)))",
    ],
)
def test_what_does_much_at_once_costs_as_much(operation: str) -> None:
    wasm = engines.wat2wasm(
        f"""(module (memory 1) (table $t 1000 funcref) (data $d "{"x" * 4000}") (func $f)
          (elem $e func {"$f " * 200}) (func (export "run") (param i32)
          (loop $l {operation} (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"""
    )
    ticks: list[int] = []
    instantiate(wasm, ticks, count=100_000).export("run").call(1000)
    assert len(ticks) >= 1


def test_what_a_tick_raises_ends_the_guest() -> None:
    engine = engines.get("wasmtime")
    store = engine.new_store()
    error = TimeoutError("now")

    def tick() -> int:
        raise error

    wasm = engines.wat2wasm('(module (func (export "spin") (loop $l (br $l))))')
    instance = store.instantiate(engine.compile(rewrite(wasm).wasm), [])
    store.instantiate(engine.compile(PLACE), [instance.export(TABLE), store.host_func(TICK, tick)])
    spin: Any = instance.export("spin")
    with pytest.raises(TimeoutError) as caught:
        spin.call()
    assert caught.value is error


def test_the_start_function_waits_to_be_called() -> None:
    wasm = engines.wat2wasm(
        '(module (global $g (export "g") (mut i32) (i32.const 0)) (func $s (global.set $g (i32.const 9))) (start $s))'
    )
    instance = instantiate(wasm, [])
    assert instance.export("g").get() == 0
    instance.export(START).call()
    assert instance.export("g").get() == 9


@pytest.mark.parametrize(
    ("subsections", "name"),
    [
        (b"\x00\x02\x01x", "x"),
        (b"\x00\x02\x01x\x01", "x"),  # the next subsection has no size
        (b"\x00\x02\x01x\x01\x7f", "x"),  # nor its content
        (b"", None),
        (b"\x00\x01\x7f", None),
    ],
)
def test_broken_names_do_not_break_the_module(subsections: bytes, name: str | None) -> None:
    section = bytes([0, 5 + len(subsections)]) + b"\x04name" + subsections
    rewritten = rewrite(engines.wat2wasm('(module (func (export "go") unreachable))') + section)
    assert rewritten.origin.name == name
    with pytest.raises(Trap) as caught:
        instantiate(rewritten, []).export("go").call()
    assert caught.value.frames[0].module == rewritten.origin.mark


def one_body(code: bytes) -> bytes:
    """A module with a table, a memory and a function of that code."""
    head = b"\0asm\1\0\0\0\1\4\1\x60\0\0\3\2\1\0\4\4\1\x70\0\1\5\3\1\0\1\x0a"
    return head + sized(b"\1" + sized(b"\0" + code + b"\x0b"))


@pytest.mark.parametrize(
    "code", [b"\x06\x40", b"\xfc\x80\x80\x01", b"\xfb\x7f", b"\xfb\xff\x00", b"\xfd\xff\x7f", b"\xe0\x00"]
)
def test_instructions_that_are_not_known_are_refused(code: bytes) -> None:
    for change in (rewrite, ask_for_growth, note_growth):
        with pytest.raises(UnsupportedFeatureError, match=f"instruction {code[0]:#x}"):
            change(one_body(code + b"\x41\0\x40\0\x1a"))


@pytest.mark.parametrize("pad", [b"", b"\x80\x00", b"\x80\x80\x80\x00"])
def test_numbers_may_have_more_bytes_than_they_take(pad: bytes) -> None:
    def padded(number: int) -> bytes:
        return bytes([number | 0x80]) + pad if pad else bytes([number])

    zero, one = b"\x41" + padded(0), b"\x41" + padded(1)
    table_grow = b"\xd0\x70" + one + b"\xfc" + padded(0x0F) + padded(0) + b"\x1a"
    fill = zero * 3 + b"\xfc" + padded(0x0B) + padded(0)
    vector = b"\xfd" + padded(0x0C) + b"\x40" * 16 + b"\x1a"
    convert = b"\x43\0\0\0\0\xfc" + padded(0) + b"\x1a"
    memory_grow = one + b"\x40" + padded(0) + b"\x1a"
    load = zero + b"\xfd" + padded(0x5C) + padded(2) + padded(0x40) + b"\x1a"
    wasm = one_body(table_grow + fill + vector + convert + load + memory_grow + vector + fill + table_grow)
    engine = engines.get("wasmtime")
    engine.compile(wasm)
    for rewritten in (ask_for_growth(wasm), rewrite(wasm)):
        assert rewritten is not None
        engine.compile(rewritten.wasm)
        type, call = (1, b"\x41\0\x11") if len(rewritten.functions) == 2 else (2, b"\x41\1\x11")
        assert rewritten.wasm.count(b"\x41\x7f" + call + bytes([type, 1])) == 2
        assert rewritten.wasm.count(b"\x41\x10" + call + bytes([type, 1])) == 1
    noting = note_growth(wasm)
    assert noting is not None
    engine.compile(noting.wasm)
    assert noting.wasm.count(b"\xad\x24\0\x23\0\xa7") == 3


def test_what_grows_nothing_needs_no_rewriting() -> None:
    for change in (ask_for_growth, note_growth):
        assert change(engines.wat2wasm("(module (memory 1) (func (drop (memory.size))))")) is None
        assert change(engines.wat2wasm("(module (memory 1) (func (block unreachable)))")) is None
        assert change(engines.wat2wasm("(module (memory 1))")) is None


TYPES = """(type $s (struct (field (mut i32)) (field (mut i8)))) (type $a (array (mut i8)))
  (type $as (array (mut funcref))) (rec (type $x (struct)) (type $y (func (param i32) (result i32))))
  (type $u (func)) (tag $t (param i32))
  (memory $m 1) (memory $n 1) (memory $w i64 1) (memory $z 1 9 shared) (table $f 1 funcref) (table $e 1 externref)
  (table $r 1 (ref null $u)) (data $d "data") (elem $el func $run) (elem declare func $run)"""
CASES = """
block end / block (result i32) i32.const 64 end drop / block (result (ref null $s)) ref.null $s end drop
block (result (ref $s)) struct.new_default $s end drop / block (type $u) end
loop (result funcref) ref.null func end drop
i32.const 1 if (result (ref null $a)) ref.null $a else ref.null $a end drop / i32.const 64 drop / i64.const 64 drop
block block (result i32) try_table (catch $t 0) (catch_all 1) end i32.const 3 end drop end
block (result exnref) try_table (catch_all_ref 0) end ref.null exn end throw_ref
block (result i32 exnref) try_table (catch_ref $t 0) end unreachable end drop drop / i32.const 64 throw $t
i32.const 0 br_table 0 0 0 / ref.null $s ref.null $s i32.const 0 select (result (ref null $s)) drop
return_call $run / i32.const 0 return_call_indirect
ref.func $run call_ref $u / ref.func $run return_call_ref $u / ref.null func drop / ref.null $s ref.is_null drop
ref.null $s ref.null $s ref.eq drop / ref.null $s ref.as_non_null drop / ref.null $s br_on_null 0 drop
block (result (ref $s)) ref.null $s br_on_non_null 0 unreachable end drop
i32.const 64 i32.const 64 struct.new $s drop
struct.new_default $s struct.get $s 0 drop / struct.new_default $s struct.get_s $s 1 drop
struct.new_default $s struct.get_u $s 1 drop / struct.new_default $s i32.const 64 struct.set $s 0
i32.const 64 i32.const 64 array.new $a drop / i32.const 64 array.new_default $a drop
i32.const 64 i32.const 64 array.new_fixed $a 2 drop / i32.const 0 i32.const 64 array.new_data $a $d drop
i32.const 0 i32.const 64 array.new_elem $as $el drop / ref.null $a i32.const 64 array.get_s $a drop
ref.null $a i32.const 64 array.get_u $a drop / ref.null $as i32.const 64 array.get $as drop
ref.null $a i32.const 64 i32.const 64 array.set $a / ref.null $a array.len drop
ref.null $a i32.const 64 i32.const 64 i32.const 64 array.fill $a
ref.null $a i32.const 64 ref.null $a i32.const 64 i32.const 64 array.copy $a $a
ref.null $a i32.const 64 i32.const 64 i32.const 64 array.init_data $a $d
ref.null $as i32.const 64 i32.const 64 i32.const 64 array.init_elem $as $el
ref.null any ref.test (ref $s) drop / ref.null any ref.test (ref null $s) drop
ref.null any ref.cast (ref $s) drop
ref.null any ref.cast (ref null i31) drop
block (result anyref) ref.null any br_on_cast 0 anyref (ref $s) end drop
block (result anyref) ref.null any br_on_cast_fail 0 anyref (ref $s) end drop
ref.null extern any.convert_extern drop
ref.null any extern.convert_any drop / i32.const 64 ref.i31 i31.get_s drop / i32.const 64 ref.i31 i31.get_u drop
i32.const 0 i32.load drop / i32.const 0 i32.load $n drop / i32.const 0 i32.load $n offset=64 align=1 drop
i64.const 0 i32.load $w offset=0x4040404040 drop / i32.const 0 i64.const 64 i64.store32 $n offset=64
memory.size $n drop / i32.const 0 i32.const 0 i32.const 0 memory.copy $n $m
i32.const 0 i32.const 0 i32.const 0 memory.fill $n
i32.const 0 i32.const 0 i32.const 0 memory.init $n $d / data.drop $d / elem.drop $el / table.size $e drop
i32.const 0 table.get $e drop / i32.const 0 ref.null extern table.set $e
i32.const 0 ref.null extern i32.const 0 table.fill $e
i32.const 0 i32.const 0 i32.const 0 table.copy $f $f / i32.const 0 i32.const 0 i32.const 0 table.init $f $el
ref.null extern i32.const 1 table.grow $e drop / i32.const 1 memory.grow $n drop / i64.const 1 memory.grow $w drop
f32.const 2 drop / f64.const 2 drop / f64.const 64 i64.trunc_sat_f64_u drop / i32.const 64 i32.extend8_s drop
i64.const 1 i64.const 1 i64.const 1 i64.const 1 i64.add128 drop drop
i64.const 64 i64.const 64 i64.mul_wide_u drop drop
i64.const 1 i64.const 1 i64.const 1 i64.const 1 i64.sub128 drop drop
i64.const 64 i64.const 64 i64.mul_wide_s drop drop
v128.const i32x4 64 64 64 64 drop / i32.const 0 v128.load $n offset=64 drop
i32.const 0 v128.load32_zero $n offset=64 drop
i32.const 0 v128.const i32x4 64 64 64 64 v128.load8_lane $n offset=64 3 drop / i32.const 0 i8x16.splat drop
i32.const 0 v128.const i32x4 64 64 64 64 v128.store64_lane $n offset=64 1
v128.const i64x2 64 64 i8x16.extract_lane_u 3 drop
v128.const i64x2 64 64 v128.const i64x2 64 64 i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 drop
v128.const i64x2 64 64 v128.const i64x2 64 64 i8x16.relaxed_swizzle drop / v128.const i64x2 64 64 f64x2.sqrt drop
v128.const i64x2 64 64 v128.const i64x2 64 64 i64x2.mul drop / atomic.fence
i32.const 0 i32.atomic.load $z offset=64 drop
i32.const 0 i32.const 1 memory.atomic.notify $z offset=64 drop
i32.const 0 i32.const 1 i64.const 1 memory.atomic.wait32 $z drop
i32.const 0 i32.const 1 i32.const 1 i32.atomic.rmw16.cmpxchg_u $z drop
i32.const 0 i64.const 64 i64.atomic.rmw.add $z drop
"""


@pytest.mark.parametrize("case", [case.strip() for line in CASES.strip().splitlines() for case in line.split(" / ")])
def test_every_instruction_is_passed_over(case: str) -> None:
    """What comes after it, and looks like it in part, is found."""
    asks = "i32.const 64 memory.grow $m drop"
    wasm = engines.wat2wasm(
        f"""(module {TYPES} (func $run (type $u)) (func (export "go") (local (ref null $s)) (local i32)
          {asks} block {case} end {asks}))"""
    )
    engines.get("wasmtime").compile(wasm)
    rewritten = ask_for_growth(wasm)
    assert rewritten is not None
    engines.get("wasmtime").compile(rewritten.wasm)
    assert rewritten.wasm.count(b"\x41\xc0\0\x41\x10\x41\0\x11") == wasm.count(b"\x41\xc0\0\x40\0\x1a") == 2
    noting = note_growth(wasm)
    assert noting is not None
    as_it_is(noting.wasm)
    assert noting.wasm.count(b"\x41\xc0\0\xad\x24") == 2


def test_real_modules_stay_valid() -> None:
    root = Path(__file__).parent.parent.parent
    found = 0
    for path in [*root.glob("tests/guests/*.wasm"), *root.glob("examples/*/wasm/*.wasm")]:
        for module in wippywasm.load(path, engine="wasmtime").plan.modules:
            engines.get("wasmtime").compile(rewrite(bytes(module.wasm)).wasm)
            for change in (ask_for_growth, note_growth):
                changed = change(bytes(module.wasm))
                if changed is not None:
                    engines.get("wasmtime").compile(changed.wasm)
            found += 1
    assert found > 2
