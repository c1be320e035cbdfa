"""Guests that wait, spin and grow, as text."""

from __future__ import annotations

SLEEPER = """
(component
  (import "test:host/clock" (instance $clock
    (export "sleep" (func (param "ms" u32) (result u32)))
    (export "name" (func (param "ms" u32) (result string)))
    (export "attempt" (func (param "ms" u32) (result (result u32 (error string)))))))
  (core module $libc
    (memory (export "memory") 1)
    (global $top (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (local i32)
      (local.set 4 (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
      (global.set $top (i32.add (local.get 4) (local.get 3)))
      (local.get 4)))
  (core instance $libc (instantiate $libc))
  (core func $sleep (canon lower (func $clock "sleep")))
  (core func $name (canon lower (func $clock "name")
    (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (core func $attempt (canon lower (func $clock "attempt")
    (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (core module $m
    (import "host" "sleep" (func $sleep (param i32) (result i32)))
    (import "host" "name" (func $name (param i32 i32)))
    (import "host" "attempt" (func $attempt (param i32 i32)))
    (import "libc" "memory" (memory 1))
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "sleep") (param i32) (result i32) (call $sleep (local.get 0)))
    (func (export "sleep-twice") (param i32) (result i32)
      (i32.add (call $sleep (local.get 0)) (call $sleep (local.get 0))))
    (func (export "greet") (param i32) (result i32)
      (call $name (local.get 0) (i32.const 16)) (i32.const 16))
    (func (export "attempt") (param i32) (result i32)
      (call $attempt (local.get 0) (i32.const 32)) (i32.const 32))
    (func (export "length") (param i32 i32) (result i32) (drop (call $sleep (i32.const 0))) (local.get 1))
    (func (export "count") (param i32 i32) (result i32) (local.get 1))
    (func (export "crash") (param i32) (drop (call $sleep (local.get 0))) unreachable)
    (func (export "spin") (loop $l (br $l))))
  (core instance $i (instantiate $m
    (with "libc" (instance $libc))
    (with "host" (instance
      (export "sleep" (func $sleep)) (export "name" (func $name)) (export "attempt" (func $attempt))))))
  (func (export "add") (param "a" s32) (param "b" s32) (result s32) (canon lift (core func $i "add")))
  (func (export "sleep") (param "ms" u32) (result u32) (canon lift (core func $i "sleep")))
  (func (export "sleep-twice") (param "ms" u32) (result u32) (canon lift (core func $i "sleep-twice")))
  (func (export "greet") (param "ms" u32) (result string)
    (canon lift (core func $i "greet") (memory (core memory $libc "memory"))))
  (func (export "attempt") (param "ms" u32) (result (result u32 (error string)))
    (canon lift (core func $i "attempt") (memory (core memory $libc "memory"))))
  (func (export "length") (param "text" string) (result u32)
    (canon lift (core func $i "length") (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (func (export "count") (param "texts" (list string)) (result u32)
    (canon lift (core func $i "count") (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (func (export "crash") (param "ms" u32) (canon lift (core func $i "crash")))
  (func (export "spin") (canon lift (core func $i "spin"))))
"""
"""Every export that takes milliseconds sleeps for them in the host."""
