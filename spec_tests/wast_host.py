"""What `.wast` files may import without defining it: the core module `spectest` and the components' `host`.

In: nothing. Out: the text of both. Other runners of such files provide them: `spectest` is the one of the core test
suite, `host` and `host-return-two` are what wasmtime's runner links for components. Written as WebAssembly, they have
types, so that a file's import of them is checked like that of any other instance.
"""

from __future__ import annotations

SPECTEST = """
(module
  (global (export "global_i32") i32 (i32.const 666))
  (global (export "global_i64") i64 (i64.const 666))
  (global (export "global_f32") f32 (f32.const 666.6))
  (global (export "global_f64") f64 (f64.const 666.6))
  (table (export "table") 10 20 funcref)
  (memory (export "memory") 1 2)
  (func (export "print"))
  (func (export "print_i32") (param i32))
  (func (export "print_i64") (param i64))
  (func (export "print_f32") (param f32))
  (func (export "print_f64") (param f64))
  (func (export "print_i32_f32") (param i32 f32))
  (func (export "print_f64_f64") (param f64 f64)))
"""

HOST_NAMES = ("host", "host-return-two")
"""The exports of `HOST`."""

ASYNC_HOST_NAMES = frozenset({"host-echo-u32", "never-return", "return-two-slowly", "echo-slowly"})
"""Functions of wasmtime's host that wait. They are not provided: nothing here can make them of WebAssembly alone."""

HOST = r"""
(component
  (core module $code
    (memory (export "memory") 1)
    (data (i32.const 8) "\10\00\00\00\02\00\00\00hi")
    (global $drops (mut i32) (i32.const 0))
    (global $last (mut i32) (i32.const 0))
    (func (export "drop") (param i32)
      (global.set $drops (i32.add (global.get $drops) (i32.const 1)))
      (global.set $last (local.get 0)))
    (func (export "drop-nothing") (param i32))
    (func (export "drops") (result i32) (global.get $drops))
    (func (export "last-drop") (result i32) (global.get $last))
    (func (export "two") (result i32) (i32.const 2))
    (func (export "three") (result i32) (i32.const 3))
    (func (export "four") (result i32) (i32.const 4))
    (func (export "hi") (result i32) (i32.const 8))
    (func (export "same") (param i32 i32) (if (i32.ne (local.get 0) (local.get 1)) (then unreachable)))
    (func (export "take") (param i32 i32)))
  (core instance $code (instantiate $code))
  (type $one (resource (rep i32) (dtor (func $code "drop"))))
  (type $two (resource (rep i32) (dtor (func $code "drop-nothing"))))
  (core func $new (canon resource.new $one))
  (core func $rep (canon resource.rep $one))
  (core module $checks
    (import "" "rep" (func $rep (param i32) (result i32)))
    (func (export "owns") (param i32 i32)
      (if (i32.ne (call $rep (local.get 0)) (local.get 1)) (then unreachable))))
  (core instance $checks (instantiate $checks (with "" (instance (export "rep" (func $rep))))))
  (func $new (param "rep" u32) (result (own $one)) (canon lift (core func $new)))
  (func $assert (param "resource" (own $one)) (param "rep" u32) (canon lift (core func $checks "owns")))
  (func $last-drop (result u32) (canon lift (core func $code "last-drop")))
  (func $drops (result u32) (canon lift (core func $code "drops")))
  (func $simple (param "self" (borrow $one)) (param "rep" u32) (canon lift (core func $code "same")))
  (func $take-borrow (param "self" (borrow $one)) (param "b" (borrow $one)) (canon lift (core func $code "take")))
  (func $take-own (param "self" (borrow $one)) (param "b" (own $one)) (canon lift (core func $code "take")))
  (func $hi (result string)
    (canon lift (core func $code "hi") (memory (core memory $code "memory"))))
  (func $two (result u32) (canon lift (core func $code "two")))
  (func $three (result u32) (canon lift (core func $code "three")))
  (func $four (result u32) (canon lift (core func $code "four")))
  (component $host
    (import "one" (type $one (sub resource)))
    (import "two" (type $two (sub resource)))
    (import "new" (func $new (param "rep" u32) (result (own $one))))
    (import "assert" (func $assert (param "resource" (own $one)) (param "rep" u32)))
    (import "last-drop" (func $last-drop (result u32)))
    (import "drops" (func $drops (result u32)))
    (import "simple" (func $simple (param "self" (borrow $one)) (param "rep" u32)))
    (import "take-borrow" (func $take-borrow (param "self" (borrow $one)) (param "b" (borrow $one))))
    (import "take-own" (func $take-own (param "self" (borrow $one)) (param "b" (own $one))))
    (import "three" (func $three (result u32)))
    (import "four" (func $four (result u32)))
    (import "hi" (func $hi (result string)))
    (export $resource1 "resource1" (type $one))
    (export "resource2" (type $two))
    (export "resource1-again" (type $resource1))
    (export "[constructor]resource1" (func $new) (func (param "rep" u32) (result (own $resource1))))
    (export "[static]resource1.assert" (func $assert)
      (func (param "resource" (own $resource1)) (param "rep" u32)))
    (export "[static]resource1.last-drop" (func $last-drop))
    (export "[static]resource1.drops" (func $drops))
    (export "[method]resource1.simple" (func $simple)
      (func (param "self" (borrow $resource1)) (param "rep" u32)))
    (export "[method]resource1.take-borrow" (func $take-borrow)
      (func (param "self" (borrow $resource1)) (param "b" (borrow $resource1))))
    (export "[method]resource1.take-own" (func $take-own)
      (func (param "self" (borrow $resource1)) (param "b" (own $resource1))))
    (export "return-three" (func $three))
    (instance $nested (export "return-four" (func $four)))
    (export "nested" (instance $nested))
    (export "return-hi" (func $hi))
    (core module $simple
      (global (export "g") i32 (i32.const 100))
      (func (export "f") (result i32) (i32.const 101)))
    (export "simple-module" (core module $simple)))
  (instance $host (instantiate $host
    (with "one" (type $one)) (with "two" (type $two)) (with "new" (func $new)) (with "assert" (func $assert))
    (with "last-drop" (func $last-drop)) (with "drops" (func $drops)) (with "simple" (func $simple))
    (with "take-borrow" (func $take-borrow)) (with "take-own" (func $take-own))
    (with "three" (func $three)) (with "four" (func $four)) (with "hi" (func $hi))))
  (export "host" (instance $host))
  (export "host-return-two" (func $two)))
"""
