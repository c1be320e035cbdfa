"""Guests that consist of several modules, each of which grows a memory or a table of its own."""

from __future__ import annotations

MEMORY = "(memory 1)", "(memory.grow (local.get 0))", "memory.size"
TABLE = "(table 1 funcref)", "(table.grow (ref.null func) (local.get 0))", "table.size"


def pair(kind: tuple[str, str, str], nested: bool = False, start: str = "") -> str:
    """Two instances of one module, each with a memory (or table), and one that grows them in turns.

    `grow-a` and `grow-b` grow one of them, `fill` grows both by one in turns until neither can any more, with a call of
    the host before each step if it is to pause; `size` is that of both, `bomb` fills and traps. With `nested`, each is
    in a component of its own. The module does `start` at its start.
    """
    space, grow, size = kind
    module = f"""(core module $m {space}
        (func (export "grow") (param i32) (result i32) {grow})
        (func (export "size") (result i32) {size})
        (func $start (local i32) {start}) (start $start))"""
    driver = """(core module $driver
        (import "a" "grow" (func $a (param i32) (result i32))) (import "b" "grow" (func $b (param i32) (result i32)))
        (import "a" "size" (func $as (result i32))) (import "b" "size" (func $bs (result i32)))
        (import "host" "sleep" (func $sleep (param i32) (result i32)))
        (func $fill (export "fill") (param $pause i32) (result i32) (local $steps i32)
          (loop $more
            (if (local.get $pause) (then (drop (call $sleep (i32.const 1)))))
            (if (i32.or
                (i32.ge_s (call $a (i32.const 1)) (i32.const 0)) (i32.ge_s (call $b (i32.const 1)) (i32.const 0)))
              (then (local.set $steps (i32.add (local.get $steps) (i32.const 1))) (br $more))))
          (local.get $steps))
        (func (export "grow-a") (param i32) (result i32) (call $a (local.get 0)))
        (func (export "grow-b") (param i32) (result i32) (call $b (local.get 0)))
        (func (export "size") (result i32) (i32.add (call $as) (call $bs)))
        (func (export "bomb") (drop (call $fill (i32.const 0))) unreachable))"""
    return f"""(component
      (import "test:host/clock" (instance $clock (export "sleep" (func (param "ms" u32) (result u32)))))
      {_nested(module) if nested else _flat(module)}
      {driver}
      (core func $sleep (canon lower (func $clock "sleep")))
      (core instance $d (instantiate $driver
        (with "a" (instance $a)) (with "b" (instance $b)) (with "host" (instance (export "sleep" (func $sleep))))))
      (func (export "fill") (param "pause" bool) (result s32) (canon lift (core func $d "fill")))
      (func (export "grow-a") (param "by" s32) (result s32) (canon lift (core func $d "grow-a")))
      (func (export "grow-b") (param "by" s32) (result s32) (canon lift (core func $d "grow-b")))
      (func (export "size") (result s32) (canon lift (core func $d "size")))
      (func (export "bomb") (canon lift (core func $d "bomb"))))"""


def _flat(module: str) -> str:
    return f"{module} (core instance $a (instantiate $m)) (core instance $b (instantiate $m))"


def _nested(module: str) -> str:
    lowered = """(alias export ${0} "grow" (func ${0}g)) (alias export ${0} "size" (func ${0}s))
      (core func ${0}gc (canon lower (func ${0}g))) (core func ${0}sc (canon lower (func ${0}s)))
      (core instance ${0} (export "grow" (func ${0}gc)) (export "size" (func ${0}sc)))"""
    return f"""(component $inner {module} (core instance $i (instantiate $m))
        (func (export "grow") (param "by" s32) (result s32) (canon lift (core func $i "grow")))
        (func (export "size") (result s32) (canon lift (core func $i "size"))))
      (instance $a (instantiate $inner)) (instance $b (instantiate $inner))
      {lowered.format("a")} {lowered.format("b")}"""
