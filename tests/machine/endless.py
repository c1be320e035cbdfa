"""A component whose every part can run for ever, as text."""

from __future__ import annotations

from wippywasm.errors import LimitTrap, TimedOutError, Trap, WippyError

ENDLESS = """
(component
  (import "wasi:io/poll@0.2.0" (instance $poll
    (export "pollable" (type $pollable (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $pollable))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
    (alias outer 1 $pollable (type $p)) (export "pollable" (type (eq $p)))
    (export "subscribe-duration" (func (param "when" u64) (result (own $p))))))
  (component $inner
    (core module $m (func (export "spin") (loop $l (br $l))))
    (core instance $i (instantiate $m))
    (func (export "spin") (canon lift (core func $i "spin"))))
  (instance $inner (instantiate $inner))
  (core func $nested (canon lower (func $inner "spin")))
  (core func $subscribe (canon lower (func $clock "subscribe-duration")))
  (core func $block (canon lower (func $poll "[method]pollable.block")))
  (core module $d (func (export "dtor") (param i32) (loop $l (br_if $l (local.get 0)))))
  (core instance $d (instantiate $d))
  (type $r (resource (rep i32) (dtor (core func $d "dtor"))))
  (core func $new (canon resource.new $r))
  (core func $drop (canon resource.drop $r))
  (core module $m
    (import "" "nested" (func $nested))
    (import "" "subscribe" (func $subscribe (param i64) (result i32)))
    (import "" "block" (func $block (param i32)))
    (import "" "new" (func $new (param i32) (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (memory (export "memory") 1)
    (table $t (export "table") 1 funcref)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (loop $l (br $l)) unreachable)
    (func $down (call $down) (call $down))
    (func $make (export "make") (result i32) (call $new (i32.const 1)))
    (func (export "argument") (param i32 i32))
    (func (export "result") (result i32) (i32.const 16))
    (func (export "after-result") (param i32) (loop $l (br $l)))
    (func (export "act") (param $kind i32) (result i32)
      (block $table (block $memory (block $down (block $fill (block $drop (block $sleep (block $nested (block $spin
        (block $well (br_table $well $spin $nested $sleep $drop $fill $down $memory $table (local.get $kind)))
        (return (i32.const 7)))
        (loop $l (br $l)))
        (call $nested))
        (call $block (call $subscribe (i64.const 3600000000000))))
        (call $drop (call $make)))
        (loop $l (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536)) (br $l)))
        (call $down))
        (loop $l (br_if $l (i32.ge_s (memory.grow (i32.const 16)) (i32.const 0)))) unreachable)
      (loop $l (br_if $l (i32.ge_s (table.grow (ref.null func) (i32.const 100)) (i32.const 0)))) unreachable))
  (core instance $i (instantiate $m (with "" (instance
    (export "nested" (func $nested)) (export "subscribe" (func $subscribe)) (export "block" (func $block))
    (export "new" (func $new)) (export "drop" (func $drop))))))
  (alias core export $i "memory" (core memory $memory))
  (alias core export $i "realloc" (core func $realloc))
  (export $r2 "r" (type $r))
  (func (export "act") (param "kind" u32) (result u32) (canon lift (core func $i "act")))
  (func (export "argument") (param "text" string)
    (canon lift (core func $i "argument") (memory (core memory $memory)) (realloc (core func $realloc))))
  (func (export "after-result") (result string)
    (canon lift (core func $i "result") (memory (core memory $memory)) (post-return (core func $i "after-result"))))
  (func (export "make") (result (own $r2)) (canon lift (core func $i "make"))))
"""
"""`act(0)` is 7, other numbers are of `KINDS`; `make` gives a resource whose destructor never returns."""

KINDS = ("well", "spin", "nested", "sleep", "drop", "fill", "recursion", "memory", "table")
ALONE: dict[str, tuple[str, ...]] = {"argument": ("text",), "after-result": ()}
"""Functions that never end as their values are passed, with arguments."""
LIMITS = {"max_execution_ms": 150, "max_memory_mb": 2, "max_table_elements": 1000}
PATIENT = {"max_execution_ms": 60_000}
"""For calls that are to work."""
TIMED_OUT = "max_execution_ms = 150"
ENDS: dict[str, tuple[type[WippyError], str]] = {
    "recursion": (Trap, "call stack exhausted"),
    "memory": (LimitTrap, "max_memory_mb = 2"),
    "table": (LimitTrap, "max_table_elements = 1000"),
}
"""How calls end that do not end with their time."""


def limits_of(kind: str) -> dict[str, int]:
    """The bounds that it runs into; wasmer needs its time to collect the frames of an overflow."""
    return {**LIMITS, "max_execution_ms": 150 if end_of(kind)[0] is TimedOutError else 60_000}


def end_of(kind: str) -> tuple[type[WippyError], str]:
    """The class of the error, and what it says."""
    return ENDS.get(kind, (TimedOutError, TIMED_OUT))
