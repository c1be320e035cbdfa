"""Two guests that are linked to each other and share a resource of the host, and that host.

Out: the text of a guest that keeps things of the host (`keeper`) and of one that uses it (`user`); `Host`, which counts
how often each of its things was closed.
"""

from __future__ import annotations

from typing import Any

KEEPER = {
    "give": '(param "n" u32) (result (own $r))',
    "keep": '(param "thing" (own $r))',
    "back": "(result (own $r))",
    "look": '(param "thing" (borrow $r)) (result u32)',
    "forget": '(param "thing" (borrow $r))',
    "both": '(param "lent" (borrow $r)) (param "given" (own $r))',
    "fail": '(param "thing" (own $r))',
    "pairs": '(param "n" u32) (result (list (tuple (own $r) u32)))',
    "sum": '(param "pairs" (list (tuple (own $r) u32))) (result u32)',
    "tell": '(param "text" string) (param "thing" (own $r)) (result (own $r))',
}
HOST = """
  (import "host" (instance $host
    (export "thing" (type $r (sub resource)))
    (export "make" (func (param "n" u32) (result (own $r))))
    (export "see" (func (param "thing" (borrow $r)) (result u32)))))
  (alias export $host "thing" (type $r))
  (core func $make (canon lower (func $host "make")))
  (core func $see (canon lower (func $host "see")))
  (core func $drop (canon resource.drop $r))
  (core module $own
    (memory (export "memory") 1)
    (global $free (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.get $free)
      (global.set $free (i32.and (i32.add (global.get $free) (i32.add (local.get 3) (i32.const 7))) (i32.const -8)))))
  (core instance $own (instantiate $own))
  (alias core export $own "memory" (core memory $memory))
  (alias core export $own "realloc" (core func $realloc))
"""
MEMORY = "(memory $memory) (realloc $realloc)"
OWN = """
    (import "own" "memory" (memory 1))
    (import "host" "make" (func $make (param i32) (result i32)))
    (import "host" "see" (func $see (param i32) (result i32)))
    (import "host" "drop" (func $drop (param i32)))
"""
SEEN = "(func $seen (param i32) (result i32) (call $see (local.get 0)) (call $drop (local.get 0)))"
GIVEN = """(with "own" (instance $own))
    (with "host" (instance (export "make" (func $make)) (export "see" (func $see)) (export "drop" (func $drop))))"""


def keeper() -> str:
    """A guest that has things of the host made, keeps them, and gives them back."""
    lifts = "".join(
        f'(func (export "{name}") {type} (canon lift (core func $i "{name}") {MEMORY}))'.replace("$r)", "$thing)")
        for name, type in KEEPER.items()
    )
    return f"""(component {HOST}
      (core module $m {OWN} {SEEN}
        (global $kept (mut i32) (i32.const 0))
        (func (export "give") (param i32) (result i32) (call $make (local.get 0)))
        (func (export "keep") (param i32) (global.set $kept (local.get 0)))
        (func (export "back") (result i32) (global.get $kept))
        (func (export "look") (param i32) (result i32) (call $seen (local.get 0)))
        (func (export "forget") (param i32))
        (func (export "both") (param i32 i32))
        (func (export "fail") (param i32) (unreachable))
        (func (export "pairs") (param i32) (result i32)
          (local $i i32)
          (loop $next
            (i32.store (i32.add (i32.const 512) (i32.mul (local.get $i) (i32.const 8))) (call $make (local.get $i)))
            (i32.store (i32.add (i32.const 516) (i32.mul (local.get $i) (i32.const 8))) (local.get $i))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $next (i32.lt_u (local.get $i) (local.get 0))))
          (i32.store (i32.const 16) (i32.const 512)) (i32.store (i32.const 20) (local.get 0)) (i32.const 16))
        (func (export "sum") (param i32 i32) (result i32)
          (local $sum i32)
          (loop $next
            (local.set $sum (i32.add (local.get $sum) (call $seen (i32.load (local.get 0)))))
            (local.set 0 (i32.add (local.get 0) (i32.const 8)))
            (local.set 1 (i32.sub (local.get 1) (i32.const 1)))
            (br_if $next (local.get 1)))
          (local.get $sum))
        (func (export "tell") (param i32 i32 i32) (result i32)
          (if (i32.ne (local.get 1) (i32.const 2)) (then (unreachable))) (local.get 2)))
      (core instance $i (instantiate $m {GIVEN}))
      (export $thing "thing" (type $r))
      {lifts})"""


def user(encoding: str = "utf8") -> str:
    """A guest that has things of its own and some of the keeper's; each export does one thing with them."""
    names = [*KEEPER]
    exports = "".join(f'(export "{name}" (func {type}))'.replace("$r)", "$thing)") for name, type in KEEPER.items())
    lowers = "".join(
        f'(core func ${n} (canon lower (func $keeper "{n}") {MEMORY} string-encoding={encoding}))' for n in names
    )
    given = "".join(f'(export "{n}" (func ${n}))' for n in names)
    core = {"pairs": "(param i32 i32)", "sum": "(param i32 i32) (result i32)", "both": "(param i32 i32)"}
    core |= dict.fromkeys(["keep", "fail", "forget"], "(param i32)") | {"back": "(result i32)"}
    core["tell"] = "(param i32 i32 i32) (result i32)"
    imports = "".join(f'(import "keeper" "{n}" (func ${n} {core.get(n, "(param i32) (result i32)")}))' for n in names)
    bodies = {
        "move": "(call $seen (call $give (local.get 0)))",
        "hold": "(global.set $held (call $give (local.get 0))) (global.get $held)",
        "held": "(call $see (global.get $held))",
        "release": "(call $seen (global.get $held))",
        "put": "(call $keep (call $make (local.get 0))) (i32.const 0)",
        "fetch": "(call $seen (call $back))",
        "lend": "(local.set 1 (call $make (local.get 0))) "
        "(i32.add (call $look (local.get 1)) (call $seen (local.get 1)))",
        "lend-for-ever": "(call $forget (call $make (local.get 0))) (i32.const 0)",
        "lend-and-give": "(local.set 1 (call $make (local.get 0))) "
        "(call $both (local.get 1) (local.get 1)) (i32.const 0)",
        "give-for-a-trap": "(call $fail (call $make (local.get 0))) (i32.const 0)",
        "pass-on": "(call $pairs (local.get 0) (i32.const 8)) "
        "(call $sum (i32.load (i32.const 8)) (i32.load (i32.const 12)))",
        "tell": "(call $seen (call $tell (i32.const 64) (i32.const 2) (call $make (local.get 0))))",
        "stray": "(call $keep (local.get 0)) (i32.const 0)",
    }
    functions = "".join(f'(func (export "{n}") (param i32) (result i32) (local i32) {b})' for n, b in bodies.items())
    lifts = "".join(
        f'(func (export "{n}") (param "n" u32) (result u32) (canon lift (core func $i "{n}")))' for n in bodies
    )
    return f"""(component {HOST}
      (import "keeper" (instance $keeper
        (alias outer 1 $r (type $outer)) (export "thing" (type $thing (eq $outer))) {exports}))
      {lowers}
      (core module $m {OWN} {imports} {SEEN} (global $held (mut i32) (i32.const 0))
        (data (i32.const 64) "h\\00i\\00") {functions})
      (core instance $i (instantiate $m {GIVEN} (with "keeper" (instance {given}))))
      {lifts})"""


class Thing:
    """What the host has, and how often each of them was closed."""

    made: list[Thing]

    def __init__(self, n: int) -> None:
        self.n = n
        self.closed = 0
        self.made.append(self)

    def close(self) -> None:
        self.closed += 1


class Host:
    """A host with things of a class of its own, and what became of them."""

    def __init__(self) -> None:
        self.made: list[Any] = []
        self.cls: type[Thing] = type("Thing", (Thing,), {"made": self.made})
        self.imports: dict[str, Any] = {"thing": self.cls, "make": self.cls, "see": lambda thing: thing.n}

    @property
    def closed(self) -> list[int]:
        return [thing.closed for thing in self.made]
