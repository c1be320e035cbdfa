"""Components as text: each takes and gives plain numbers, so that what is linked shows."""

from __future__ import annotations

GREETER = """
(component
  (import "my:log/out@1.0.0" (instance $log (export "line" (func (param "n" u32) (result u32)))))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock (export "now" (func (result u64)))))
  (core func $line (canon lower (func $log "line")))
  (core func $now (canon lower (func $clock "now")))
  (core module $m
    (import "" "line" (func $line (param i32) (result i32)))
    (import "" "now" (func $now (result i64)))
    (func (export "run") (param i32) (result i32) (call $line (local.get 0)))
    (func (export "time") (result i64) (call $now)))
  (core instance $i (instantiate $m (with "" (instance (export "line" (func $line)) (export "now" (func $now))))))
  (func (export "run") (param "n" u32) (result u32) (canon lift (core func $i "run")))
  (func (export "time") (result u64) (canon lift (core func $i "time"))))
"""
"""Calls a log, and a clock of the host."""


def log(version: str, add: int, type: str = "u32") -> str:
    """Exports `my:log/out`: `line` adds a number."""
    return f"""
    (component
      (core module $m (func (export "line") (param i32) (result i32) (i32.add (local.get 0) (i32.const {add}))))
      (core instance $i (instantiate $m))
      (func $f (param "n" {type}) (result {type}) (canon lift (core func $i "line")))
      (instance $e (export "line" (func $f)))
      (export "my:log/out{version}" (instance $e)))
    """


FILTER = """
(component
  (import "my:log/out@1.0.0" (instance $log (export "line" (func (param "n" u32) (result u32)))))
  (import "wasi:clocks/monotonic-clock@0.2.3" (instance $clock (export "resolution" (func (result u64)))))
  (core func $line (canon lower (func $log "line")))
  (core module $m
    (import "" "line" (func $line (param i32) (result i32)))
    (func (export "line") (param i32) (result i32) (i32.mul (call $line (local.get 0)) (i32.const 2))))
  (core instance $i (instantiate $m (with "" (instance (export "line" (func $line))))))
  (func $f (param "n" u32) (result u32) (canon lift (core func $i "line")))
  (instance $e (export "line" (func $f)))
  (export "my:log/out@1.1.0" (instance $e)))
"""
"""Imports a log, exports one that doubles; and imports another function of the clock, in a later version."""

COUNTERS = """
(component
  (core module $m
    (global $count (mut i32) (i32.const 0))
    (func (export "new") (param i32) (result i32) (local.get 0))
    (func (export "get") (param i32) (result i32) (local.get 0))
    (func (export "dtor") (param i32) (global.set $count (i32.add (global.get $count) (i32.const 1))))
    (func (export "dropped") (result i32) (global.get $count)))
  (core instance $i (instantiate $m))
  (type $counter' (resource (rep i32) (dtor (core func $i "dtor"))))
  (core func $resource-new (canon resource.new $counter'))
  (core module $w
    (import "" "new" (func $new (param i32) (result i32)))
    (func (export "new") (param i32) (result i32) (call $new (local.get 0))))
  (core instance $j (instantiate $w (with "" (instance (export "new" (func $resource-new))))))
  (func $new' (param "from" u32) (result (own $counter')) (canon lift (core func $j "new")))
  (func $get' (param "self" (borrow $counter')) (result u32) (canon lift (core func $i "get")))
  (func $dropped' (result u32) (canon lift (core func $i "dropped")))
  (component $shell
    (import "t" (type $t (sub resource)))
    (import "n" (func $n (param "from" u32) (result (own $t))))
    (import "g" (func $g (param "self" (borrow $t)) (result u32)))
    (import "d" (func $d (result u32)))
    (export $counter "counter" (type $t))
    (export "[constructor]counter" (func $n) (func (param "from" u32) (result (own $counter))))
    (export "[method]counter.get" (func $g) (func (param "self" (borrow $counter)) (result u32)))
    (export "dropped" (func $d)))
  (instance $e (instantiate $shell
    (with "t" (type $counter')) (with "n" (func $new')) (with "g" (func $get')) (with "d" (func $dropped'))))
  (export "my:counters/api" (instance $e)))
"""
"""Exports a resource."""

COUNTS = """
(component
  (import "my:counters/api" (instance $api
    (export "counter" (type $c (sub resource)))
    (export "[constructor]counter" (func (param "from" u32) (result (own $c))))
    (export "[method]counter.get" (func (param "self" (borrow $c)) (result u32)))
    (export "dropped" (func (result u32)))))
  (alias export $api "counter" (type $counter))
  (core func $new (canon lower (func $api "[constructor]counter")))
  (core func $get (canon lower (func $api "[method]counter.get")))
  (core func $dropped (canon lower (func $api "dropped")))
  (core func $drop (canon resource.drop $counter))
  (core module $m
    (import "" "new" (func $new (param i32) (result i32)))
    (import "" "get" (func $get (param i32) (result i32)))
    (import "" "dropped" (func $dropped (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (func (export "run") (param i32) (result i32)
      (local $c i32) (local $n i32)
      (local.set $c (call $new (local.get 0)))
      (local.set $n (call $get (local.get $c)))
      (call $drop (local.get $c))
      (i32.add (i32.mul (local.get $n) (i32.const 100)) (call $dropped))))
  (core instance $i (instantiate $m (with "" (instance
    (export "new" (func $new)) (export "get" (func $get)) (export "dropped" (func $dropped))
    (export "drop" (func $drop))))))
  (func (export "run") (param "n" u32) (result u32) (canon lift (core func $i "run"))))
"""
"""Imports that resource, makes one, asks it, drops it."""


def streams_user(name: str, function: str, *, exports: str = "") -> str:
    """Imports `wasi:io/streams` and one function of it; `exports` is what it exports besides."""
    return f"""
    (component
      (import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
      (alias export $error "error" (type $e))
      (import "wasi:io/streams@0.2.0" (instance $streams
        (export "output-stream" (type $o (sub resource)))
        (export "error" (type $ee (eq $e)))
        (type $se' (variant (case "last-operation-failed" (own $ee)) (case "closed")))
        (export "stream-error" (type $se (eq $se')))
        (export "[method]output-stream.{function}" (func (param "self" (borrow $o))
          (result (result u64 (error $se)))))))
      (alias export $streams "output-stream" (type $out))
      {exports.replace("NAME", name)})
    """


TAKES_STREAM = """
      (import "my:sink/put" (instance $sink
        (export "output-stream" (type $s (eq $out)))
        (export "put" (func (param "s" (borrow $s)) (result u32)))))
      (core func $put (canon lower (func $sink "put")))
      (core func $drop (canon resource.drop $out))
      (import "wasi:cli/stdout@0.2.0" (instance $stdout
        (export "output-stream" (type $s (eq $out))) (export "get-stdout" (func (result (own $s))))))
      (core func $stdout (canon lower (func $stdout "get-stdout")))
      (core module $m
        (import "" "put" (func $put (param i32) (result i32)))
        (import "" "stdout" (func $stdout (result i32)))
        (import "" "drop" (func $drop (param i32)))
        (func (export "run") (result i32) (local $s i32)
          (local.set $s (call $stdout))
          (call $put (local.get $s))
          (call $drop (local.get $s))))
      (core instance $i (instantiate $m (with "" (instance
        (export "put" (func $put)) (export "stdout" (func $stdout)) (export "drop" (func $drop))))))
      (func (export "run") (result u32) (canon lift (core func $i "run")))
"""
"""Gives a stream of the host to an interface that a plug is to supply."""

PUTS_STREAM = """
      (core func $drop (canon resource.drop $out))
      (core module $m (import "" "drop" (func $drop (param i32)))
        (func (export "put") (param i32) (result i32) (call $drop (local.get 0)) (i32.const 7)))
      (core instance $i (instantiate $m (with "" (instance (export "drop" (func $drop))))))
      (func $f (param "s" (borrow $out)) (result u32) (canon lift (core func $i "put")))
      (component $shell
        (import "s" (type $s (sub resource)))
        (import "f" (func $f (param "s" (borrow $s)) (result u32)))
        (export $x "output-stream" (type $s))
        (export "put" (func $f) (func (param "s" (borrow $x)) (result u32))))
      (instance $e (instantiate $shell (with "s" (type $out)) (with "f" (func $f))))
      (export "my:sink/put" (instance $e))
"""
"""Takes that stream."""
