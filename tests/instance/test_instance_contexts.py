"""Context slots belong to one call: calls within it, destructors and `realloc` included, have their own.

Spec: `CanonicalABI.md`, "Thread State" (`storage`), `canon context.get`.
"""

from __future__ import annotations

from typing import Any

OWN_CALLS = """
(component
  (core func $get (canon context.get i32 0))
  (core func $set (canon context.set i32 0))
  (core module $Inner
    (import "" "get" (func $get (result i32)))
    (import "" "set" (func $set (param i32)))
    (global $seen (export "seen") (mut i32) (i32.const -1))
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.set $seen (call $get)) (call $set (i32.const 11)) (i32.const 64))
    (func (export "dtor") (param i32) (global.set $seen (call $get)) (call $set (i32.const 12)))
    (func (export "echo") (param i32) (result i32) (local $before i32)
      (local.set $before (call $get)) (call $set (local.get 0)) (local.get $before))
    (func (export "after") (param i32) (global.set $seen (call $get)) (call $set (i32.const 13))))
  (core instance $inner (instantiate $Inner (with "" (instance
    (export "get" (func $get)) (export "set" (func $set))))))
  (type $R (resource (rep i32) (dtor (core func $inner "dtor"))))
  (core func $new (canon resource.new $R))
  (core func $drop (canon resource.drop $R))
  (func $echo (param "x" u32) (result u32) (canon lift (core func $inner "echo")))
  (func $echo-after (param "x" u32) (result u32)
    (canon lift (core func $inner "echo") (post-return (core func $inner "after"))))
  (core func $echo' (canon lower (func $echo)))
  (core func $echo-after' (canon lower (func $echo-after)))
  (core module $Outer
    (import "" "get" (func $get (result i32)))
    (import "" "set" (func $set (param i32)))
    (import "" "seen" (global $seen (mut i32)))
    (import "" "new" (func $new (param i32) (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (import "" "echo" (func $echo (param i32) (result i32)))
    (import "" "echo-after" (func $echo-after (param i32) (result i32)))
    (func $told (param $inner i32) (result i32)
      (i32.add (i32.mul (local.get $inner) (i32.const 100)) (call $get)))
    (func (export "drops") (result i32)
      (call $set (i32.const 5)) (call $drop (call $new (i32.const 1))) (call $told (global.get $seen)))
    (func (export "calls") (result i32)
      (call $set (i32.const 6)) (call $told (call $echo (i32.const 7))))
    (func (export "calls-after") (result i32)
      (call $set (i32.const 8)) (drop (call $echo-after (i32.const 9))) (call $told (global.get $seen)))
    (func (export "takes") (param i32 i32) (result i32)
      (call $told (global.get $seen))))
  (core instance $outer (instantiate $Outer (with "" (instance
    (export "get" (func $get)) (export "set" (func $set)) (export "seen" (global $inner "seen"))
    (export "new" (func $new)) (export "drop" (func $drop))
    (export "echo" (func $echo')) (export "echo-after" (func $echo-after'))))))
  (func (export "drops") (result u32) (canon lift (core func $outer "drops")))
  (func (export "calls") (result u32) (canon lift (core func $outer "calls")))
  (func (export "calls-after") (result u32) (canon lift (core func $outer "calls-after")))
  (func (export "takes") (param "x" string) (result u32) (canon lift (core func $outer "takes")
    (memory (core memory $inner "memory")) (realloc (core func $inner "realloc")))))
"""


def test_each_call_has_its_own_slots(load: Any) -> None:
    with load(OWN_CALLS).instantiate() as guest:
        for _ in range(2):
            assert guest.call("drops") == 5  # the destructor found 0, and left 5 alone
            assert guest.call("calls") == 6
            assert guest.call("calls-after") == 9 * 100 + 8  # `post-return` found what its own call had set
            assert guest.call("takes", "x") == 0
