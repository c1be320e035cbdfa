"""Numbers cross as port.py promises, in both directions, on every engine."""

from __future__ import annotations

import math
import struct
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine.guests import build, call
from wippywasm.core import CoreFuncType
from wippywasm.engine.port import Engine, Store
from wippywasm.errors import UnsupportedFeatureError

ECHO = CoreFuncType(("i32", "i64", "f32", "f64"), ("f64", "f32", "i64", "i32"))
ECHO_MODULE = """(module
  (import "host" "echo" (func $echo (param i32 i64 f32 f64) (result f64 f32 i64 i32)))
  (func (export "through") (param i32 i64 f32 f64) (result f64 f32 i64 i32)
    (call $echo (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
  (func (export "here") (param i32 i64 f32 f64) (result f64 f32 i64 i32)
    local.get 3 local.get 2 local.get 1 local.get 0))"""


def as_f32(value: float) -> float:
    return float(struct.unpack("f", struct.pack("f", value))[0])


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(
    st.integers(-(2**31), 2**31 - 1),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(width=32, allow_nan=False),
    st.floats(allow_nan=False),
)
def test_every_number_survives_the_way_in_and_out(engine: Engine, i: int, q: int, f: float, d: float) -> None:
    store = engine.new_store()
    echo = store.host_func(ECHO, lambda i, q, f, d: (d, f, q, i))
    instance = build(store, ECHO_MODULE, [echo])
    assert call(instance, "here", i, q, f, d) == (d, f, q, i)
    assert call(instance, "through", i, q, f, d) == (d, f, q, i)
    store.close()


@pytest.mark.parametrize(
    ("type", "text", "expected"),
    [
        ("i32", "i32.const 0xffffffff", -1),
        ("i32", "i32.const 0x80000000", -(2**31)),
        ("i64", "i64.const 0xffffffffffffffff", -1),
        ("f32", "f32.const 0.1", as_f32(0.1)),
        ("f64", "f64.const 0.1", 0.1),
        ("f64", "f64.const -inf", -math.inf),
    ],
)
def test_results_are_signed_and_bare(store: Store, type: str, text: str, expected: Any) -> None:
    instance = build(store, f'(module (func (export "get") (result {type}) {text}))')
    assert call(instance, "get") == expected


def test_integers_may_stand_for_floats(store: Store) -> None:
    give = store.host_func(CoreFuncType((), ("f32",)), lambda: 7)
    instance = build(
        store,
        """(module (import "h" "give" (func $give (result f32)))
          (func (export "sum") (param f64) (result f64)
            (f64.add (local.get 0) (f64.promote_f32 (call $give)))))""",
        [give],
    )
    result = call(instance, "sum", 3)
    assert result == 10.0
    assert isinstance(result, float)


@pytest.mark.parametrize("type", ["f32", "f64"])
def test_zero_keeps_its_sign(store: Store, type: Any) -> None:
    echo = store.host_func(CoreFuncType((type,), (type,)), lambda value: value)
    pair = store.host_func(CoreFuncType((), (type, "i32")), lambda: (-0.0, 1))
    instance = build(
        store,
        f"""(module (import "h" "echo" (func $echo (param {type}) (result {type})))
          (import "h" "pair" (func $pair (result {type} i32)))
          (global (export "zero") (mut {type}) ({type}.const 1))
          (func (export "through") (param {type}) (result {type}) (call $echo (local.get 0)))
          (func (export "pair") (result {type} i32) (call $pair)))""",
        [echo, pair],
    )
    instance.export("zero").set(-0.0)
    zeros = [call(instance, "through", -0.0), call(instance, "pair")[0], instance.export("zero").get()]
    assert [math.copysign(1, zero) for zero in zeros] == [-1, -1, -1]
    assert math.copysign(1, call(instance, "through", 0.0)) == 1


def test_no_result_is_none_and_several_are_a_tuple(store: Store) -> None:
    instance = build(
        store, '(module (func (export "none")) (func (export "two") (result i32 i64) i32.const 1 i64.const 2))'
    )
    assert call(instance, "none") is None
    assert call(instance, "two") == (1, 2)


def test_not_a_number_stays_one(store: Store) -> None:
    instance = build(store, '(module (func (export "nan") (param f64) (result f64) local.get 0))')
    assert math.isnan(call(instance, "nan", math.nan))


def test_vectors_are_unsigned_integers(store: Store) -> None:
    instance = build(
        store,
        """(module (func (export "add") (param v128 v128) (result v128)
          (i64x2.add (local.get 0) (local.get 1))))""",
    )
    assert call(instance, "add", (5 << 64) | 1, (2**64 - 1) << 64 | 2) == (4 << 64) | 3


def test_a_null_reference_crosses_or_is_refused_by_name(store: Store) -> None:
    instance = build(store, '(module (func (export "is") (param externref) (result i32) (ref.is_null (local.get 0))))')
    if store.engine.name == "wasmer":
        with pytest.raises(UnsupportedFeatureError, match="references between guest and host"):
            call(instance, "is", None)
    else:
        assert call(instance, "is", None) == 1


def test_globals_are_read_and_written(store: Store) -> None:
    instance = build(
        store,
        """(module (global (export "i") (mut i32) (i32.const -1)) (global (export "d") (mut f64) (f64.const 1.5))
          (global (export "q") (mut i64) (i64.const -5)) (global (export "f") (mut f32) (f32.const 2.5)))""",
    )
    assert [instance.export(name).get() for name in "iqfd"] == [-1, -5, 2.5, 1.5]
    for name, value in (("i", -7), ("q", 2**40), ("f", 0.25), ("d", 3)):
        instance.export(name).set(value)
        assert instance.export(name).get() == value
