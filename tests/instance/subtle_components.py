"""Components in places where the specification is subtle, each with what it says happens.

`VALID` are run: each call gives a value, or traps (`TRAPS`). `INVALID` are refused.
"""

from __future__ import annotations

from typing import Any

TRAPS = object()


def _string(encoding: str, data: str, pointer: int, length: int) -> str:
    """A component whose function returns a string that is in its memory, at 16."""
    return f"""(component
      (core module $m (memory (export "m") 1) (data (i32.const 16) "{data}")
        (func (export "f") (result i32)
          (i32.store (i32.const 0) (i32.const {pointer})) (i32.store (i32.const 4) (i32.const {length})) (i32.const 0)))
      (core instance $i (instantiate $m))
      (func (export "f") (result string)
        (canon lift (core func $i "f") (memory (core memory $i "m")) string-encoding={encoding})))"""


def _result(type: str, stores: str, pointer: int = 0) -> str:
    """A component whose function returns a value of a type that is in its memory."""
    return f"""(component
      (type $t' {type})
      (export $t "t" (type $t'))
      (core module $m (memory (export "m") 1)
        (func (export "f") (result i32) {stores} (i32.const {pointer})))
      (core instance $i (instantiate $m))
      (func (export "f") (result $t) (canon lift (core func $i "f") (memory (core memory $i "m")))))"""


def _flat(type: str) -> str:
    """A component whose function returns the core value that it is given."""
    return f"""(component
      (type $t' {type})
      (export $t "t" (type $t'))
      (core module $m (func (export "f") (param i32) (result i32) (local.get 0)))
      (core instance $i (instantiate $m))
      (func (export "f") (param "n" s32) (result $t) (canon lift (core func $i "f"))))"""


def _primitive(type: str) -> str:
    return _flat(type).replace('(export $t "t" (type $t\'))', "(alias outer 0 $t' (type $t))")


def _names(count: int) -> str:
    return " ".join(f'"n{i}"' for i in range(count))


RESOURCE = """
  (component $maker
    (type $r' (resource (rep i32)))
    (export $r "r" (type $r'))
    (core func $new (canon resource.new $r'))
    (core func $rep (canon resource.rep $r'))
    (core module $m
      (import "" "new" (func $new (param i32) (result i32)))
      (func (export "make") (param i32) (result i32) (call $new (local.get 0)))
      (func (export "look") (param i32) (result i32) (local.get 0))
      (func (export "both") (param i32 i32)))
    (core instance $i (instantiate $m (with "" (instance (export "new" (func $new))))))
    (func (export "lend-and-give") (param "a" (borrow $r)) (param "b" (own $r)) (canon lift (core func $i "both")))
    (func (export "give-and-lend") (param "a" (own $r)) (param "b" (borrow $r)) (canon lift (core func $i "both")))
    (func (export "make") (param "n" u32) (result (own $r)) (canon lift (core func $i "make")))
    (func (export "look") (param "r" (borrow $r)) (result u32) (canon lift (core func $i "look"))))
"""


def _user(body: str) -> str:
    """Two components: one has a resource, the other does `body` with it; `$made` is a handle to the number 7."""
    return f"""(component {RESOURCE}
      (instance $maker (instantiate $maker))
      (alias export $maker "r" (type $r))
      (core func $make (canon lower (func $maker "make")))
      (core func $look (canon lower (func $maker "look")))
      (core func $drop (canon resource.drop $r))
      (core func $lend-and-give (canon lower (func $maker "lend-and-give")))
      (core func $give-and-lend (canon lower (func $maker "give-and-lend")))
      (core module $m
        (import "" "make" (func $make (param i32) (result i32)))
        (import "" "look" (func $look (param i32) (result i32)))
        (import "" "drop" (func $drop (param i32)))
        (import "" "lend-and-give" (func $lend-and-give (param i32 i32)))
        (import "" "give-and-lend" (func $give-and-lend (param i32 i32)))
        (func (export "f") (result i32) (local $made i32)
          (local.set $made (call $make (i32.const 7))) {body}))
      (core instance $i (instantiate $m (with "" (instance
        (export "make" (func $make)) (export "look" (func $look)) (export "drop" (func $drop))
        (export "lend-and-give" (func $lend-and-give)) (export "give-and-lend" (func $give-and-lend))))))
      (func (export "f") (result u32) (canon lift (core func $i "f"))))"""


def _keeper(body: str, second: str = "") -> str:
    """A component that lends a resource to another, whose `take` does `body` with the handle `local.get 0`."""
    return f"""(component {RESOURCE}
      (instance $maker (instantiate $maker))
      (component $keeper
        (import "r" (type $r (sub resource)))
        (import "look" (func $look (param "r" (borrow $r)) (result u32)))
        (core func $look (canon lower (func $look)))
        (core func $drop (canon resource.drop $r))
        (core module $m
          (import "" "look" (func $look (param i32) (result i32)))
          (import "" "drop" (func $drop (param i32)))
          (global $kept (mut i32) (i32.const 0))
          (func (export "take") (param i32) (result i32) {body})
          (func (export "again") (result i32) {second or "(i32.const 0)"}))
        (core instance $i (instantiate $m (with "" (instance
          (export "look" (func $look)) (export "drop" (func $drop))))))
        (func (export "take") (param "r" (borrow $r)) (result u32) (canon lift (core func $i "take")))
        (func (export "again") (result u32) (canon lift (core func $i "again"))))
      (instance $keeper (instantiate $keeper
        (with "r" (type $maker "r")) (with "look" (func $maker "look"))))
      (core func $make (canon lower (func $maker "make")))
      (core func $take (canon lower (func $keeper "take")))
      (core func $again (canon lower (func $keeper "again")))
      (core module $main
        (import "" "make" (func $make (param i32) (result i32)))
        (import "" "take" (func $take (param i32) (result i32)))
        (import "" "again" (func $again (result i32)))
        (func (export "f") (result i32)
          (i32.add (call $take (call $make (i32.const 7))) (call $again))))
      (core instance $main (instantiate $main (with "" (instance
        (export "make" (func $make)) (export "take" (func $take)) (export "again" (func $again))))))
      (func (export "f") (result u32) (canon lift (core func $main "f"))))"""


LEAVING = """(component
  (component $host
    (core module $m (func (export "h")))
    (core instance $i (instantiate $m))
    (func (export "h") (canon lift (core func $i "h"))))
  (instance $host (instantiate $host))
  (component $guest
    (import "h" (func $h))
    (core func $h (canon lower (func $h)))
    (core module $m (import "" "h" (func $h))
      (memory (export "m") 1)
      (func (export "f") (param i32 i32) (result i32) (local.get 1))
      (func (export "g") (result i32) (i32.const 5))
      (func (export "post") (param i32) POST)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) REALLOC (i32.const 64)))
    (core instance $i (instantiate $m (with "" (instance (export "h" (func $h))))))
    (func (export "f") (param "s" string) (result u32)
      (canon lift (core func $i "f") (memory (core memory $i "m")) (realloc (core func $i "realloc"))))
    (func (export "g") (result u32) (canon lift (core func $i "g") (post-return (core func $i "post")))))
  (instance $guest (instantiate $guest (with "h" (func $host "h"))))
  (export "f" (func $guest "f"))
  (export "g" (func $guest "g")))"""

ITSELF = """(component
  (core module $m
    (memory (export "m") 1)
    (global $log (export "log") (mut i32) (i32.const 0))
    (func $note (param i32) (global.set $log (i32.add (i32.mul (global.get $log) (i32.const 10)) (local.get 0))))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (call $note (i32.const 1)) (i32.const 256))
    (func (export "post") (param i32) (call $note (i32.const 2)))
    (func (export "give") (result i32)
      (i32.store (i32.const 16) (i32.const 100)) (i32.store (i32.const 20) (i32.const 2)) (i32.const 16)))
  (core instance $m (instantiate $m))
  (func $give (result (list u8)) (canon lift (core func $m "give") (memory (core memory $m "m"))
    (post-return (core func $m "post"))))
  (core func $give (canon lower (func $give) (memory (core memory $m "m")) (realloc (core func $m "realloc"))))
  (core module $n (import "" "give" (func $give (param i32))) (import "" "log" (global $log (mut i32)))
    (func (export "f") (result i32) (call $give (i32.const 48)) (global.get $log)))
  (core instance $n (instantiate $n (with "" (instance (export "give" (func $give)) (export "log" (global $m "log"))))))
  (func (export "f") (result u32) (canon lift (core func $n "f"))))"""
"""Lowers a function of its own, and notes what it is asked for."""

Call = tuple[str, tuple[Any, ...], Any]
VALID: dict[str, tuple[str, list[Call]]] = {
    "a value type of the grandparent": (
        """(component
          (type $p (tuple u8 u32))
          (component $outer
            (component $inner
              (alias outer 2 $p (type $q))
              (core module $m (memory (export "m") 1)
                (func (export "f") (result i32)
                  (i32.store8 (i32.const 8) (i32.const 300))
                  (i32.store (i32.const 12) (i32.const 9)) (i32.const 8)))
              (core instance $i (instantiate $m))
              (func (export "f") (result $q) (canon lift (core func $i "f") (memory (core memory $i "m")))))
            (instance $inner (instantiate $inner))
            (export "f" (func $inner "f")))
          (instance $outer (instantiate $outer))
          (export "f" (func $outer "f")))""",
        [("f", (), (44, 9))],
    ),
    "latin1 of the tagged encoding": (_string("latin1+utf16", "caf\\e9", 16, 4), [("f", (), "café")]),
    "utf16 of the tagged encoding": (
        _string("latin1+utf16", "\\e9\\00\\44\\26", 16, -(1 << 31) + 2),
        [("f", (), "é♄")],
    ),
    "a tag without length": (_string("latin1+utf16", "", 16, -(1 << 31)), [("f", (), "")]),
    "a tagged length in units, out of bounds": (_string("latin1+utf16", "", 65520, -(1 << 31) + 9), [("f", (), TRAPS)]),
    "latin1 at an odd address": (_string("latin1+utf16", "abc", 17, 2), [("f", (), TRAPS)]),
    "half of a pair": (_string("utf16", "\\00\\d8", 16, 1), [("f", (), TRAPS)]),
    "utf8 that is not": (_string("utf8", "\\c3\\28", 16, 2), [("f", (), TRAPS)]),
    "a string that ends where the memory does": (_string("utf8", "", 65535, 1), [("f", (), "\0")]),
    "a string one further": (_string("utf8", "", 65535, 2), [("f", (), TRAPS)]),
    "a list whose bytes overflow 32 bits": (
        _result("(list u64)", "(i32.store (i32.const 4) (i32.const 0x20000001))"),
        [("f", (), TRAPS)],
    ),
    "a result at an odd address": (_result("(tuple u32 u32)", "", 2), [("f", (), TRAPS)]),
    "a result beyond the memory": (_result("(tuple u32 u32)", "", 65532), [("f", (), TRAPS)]),
    "the last of 257 cases": (
        _flat(f"(enum {_names(257)})"),
        [("f", (256,), "n256"), ("f", (0,), "n0"), ("f", (257,), TRAPS)],
    ),
    "257 cases in memory": (
        _result(f"(tuple u8 (enum {_names(257)}))", "(i32.store16 (i32.const 2) (i32.const 256))")
        .replace(f"(tuple u8 (enum {_names(257)}))", "(tuple u8 $e)")
        .replace(
            "(component\n",
            f"(component\n      (type $e' (enum {_names(257)}))\n      (export $e \"e\" (type $e'))\n",
            1,
        ),
        [("f", (), (0, "n256"))],
    ),
    "32 flags": (_flat(f"(flags {_names(32)})"), [("f", (-(1 << 31) + 1,), {"n0", "n31"})]),
    "more bits than flags": (_flat(f"(flags {_names(3)})"), [("f", (0b11010,), {"n1"})]),
    "a bool that is 2": (_primitive("bool"), [("f", (2,), True), ("f", (0,), False)]),
    "a u8 of more bits": (_primitive("u8"), [("f", (0x1FF,), 255)]),
    "an s16 of more bits": (_primitive("s16"), [("f", (0x18000,), -32768)]),
    "a surrogate": (_primitive("char"), [("f", (0xD7FF,), "\ud7ff"), ("f", (0xD800,), TRAPS)]),
    "beyond the last char": (_primitive("char"), [("f", (0x10FFFF,), "\U0010ffff"), ("f", (0x110000,), TRAPS)]),
    "a resource that is looked at": (_user("(call $look (local.get $made))"), [("f", (), 7)]),
    "a resource after it was dropped": (
        _user("(call $drop (local.get $made)) (call $look (local.get $made))"),
        [("f", (), TRAPS)],
    ),
    "a resource dropped twice": (
        _user("(call $drop (local.get $made)) (call $drop (local.get $made)) (i32.const 1)"),
        [("f", (), TRAPS)],
    ),
    "a handle that is free again": (
        _user("(call $drop (local.get $made)) (i32.sub (call $make (i32.const 1)) (local.get $made))"),
        [("f", (), 0)],
    ),
    "a handle that is lent and given": (
        _user("(call $lend-and-give (local.get $made) (local.get $made)) (i32.const 1)"),
        [("f", (), TRAPS)],
    ),
    "a handle that is given and lent": (
        _user("(call $give-and-lend (local.get $made) (local.get $made)) (i32.const 1)"),
        [("f", (), TRAPS)],
    ),
    "two handles, one lent and one given": (
        _user("(call $lend-and-give (local.get $made) (call $make (i32.const 8))) (call $look (local.get $made))"),
        [("f", (), 7)],
    ),
    "the handle 0": (_user("(call $look (i32.const 0))"), [("f", (), TRAPS)]),
    "a loan that is given back": (_keeper("(call $look (local.get 0)) (call $drop (local.get 0))"), [("f", (), 7)]),
    "a loan that is kept": (_keeper("(global.set $kept (local.get 0)) (i32.const 0)"), [("f", (), TRAPS)]),
    "a loan after its call": (
        _keeper(
            "(global.set $kept (local.get 0)) (call $drop (local.get 0)) (i32.const 0)",
            "(call $look (global.get $kept))",
        ),
        [("f", (), TRAPS)],
    ),
    "leaving while nothing forbids it": (
        LEAVING.replace("POST", "").replace("REALLOC", ""),
        [("g", (), 5), ("f", ("x",), 1)],
    ),
    "leaving in post-return": (LEAVING.replace("POST", "(call $h)").replace("REALLOC", ""), [("g", (), TRAPS)]),
    "leaving in realloc": (LEAVING.replace("POST", "").replace("REALLOC", "(call $h)"), [("f", ("x",), TRAPS)]),
    "a post-return that traps": (
        LEAVING.replace("POST", "unreachable").replace("REALLOC", ""),
        [("g", (), TRAPS), ("f", ("x",), TRAPS)],
    ),
}

B = '(component (export "b" (type $b (sub resource)))'
INVALID: dict[str, str] = {
    "an import of a component type's export": f'(component (type {B} (import "c" (type (eq $b))))))',
    "an import within an instance of a component type's export": f"""(component (type {B}
      (import "c" (instance (alias outer 1 $b (type $x)) (export "d" (type (eq $x))))))))""",
    "an import within a component type of a component type's export": f"""(component (type {B}
      (import "c" (component (alias outer 1 $b (type $x)) (export "d" (type (eq $x))))))))""",
    "an import of a type in an instance that a component type exports": """(component (type (component
      (export "i" (instance $i (export "b" (type (sub resource)))))
      (alias export $i "b" (type $b)) (import "c" (type (eq $b))))))""",
    "a resource of the grandparent": """(component
      (type $r (resource (rep i32)))
      (component (alias outer 1 $r (type $q)) (import "f" (func (param "r" (own $q))))))""",
    "a resource of another instance of one component": f"""(component {RESOURCE}
      (instance $one (instantiate $maker)) (instance $two (instantiate $maker))
      (component $user
        (import "r" (type $r (sub resource)))
        (import "look" (func (param "r" (borrow $r)) (result u32))))
      (instance (instantiate $user (with "r" (type $one "r")) (with "look" (func $two "look")))))""",
    "flags without any": "(component (type (flags)))",
    "33 flags": f"(component (type (flags {_names(33)})))",
    "a variant without cases": "(component (type (variant)))",
    "a record without fields": "(component (type (record)))",
    "names that differ in case only": '(component (import "a-b" (func)) (import "A-b" (func)))',
    "a constructor of no resource": '(component (import "[constructor]r" (func)))',
    "an argument that is missing": """(component
      (component $c (import "a" (func)) (import "b" (func)))
      (import "f" (func $f))
      (instance (instantiate $c (with "a" (func $f)))))""",
    "a borrow that is returned": """(component
      (import "r" (type $r (sub resource)))
      (import "f" (func (result (borrow $r)))))""",
    "an export of less than it claims": """(component
      (import "i" (instance $i (export "f" (func))))
      (export "j" (instance $i) (instance (export "f" (func)) (export "g" (func)))))""",
    "a new resource of an imported type": """(component
      (import "r" (type $r (sub resource)))
      (core func (canon resource.new $r)))""",
    "strings without a memory": """(component
      (core module $m (func (export "f") (result i32) (i32.const 0)))
      (core instance $i (instantiate $m))
      (func (export "f") (result string) (canon lift (core func $i "f"))))""",
    "a value that is imported": '(component (import "v" (value $v u32)) (export "w" (value $v)))',
    "a start definition": '(component (import "f" (func $f)) (start $f))',
    "a type that nobody can name": """(component
      (type $r (record (field "a" u8)))
      (import "f" (func (param "x" $r))))""",
    "an alias of what is not exported": '(component (import "i" (instance $i)) (alias export $i "f" (func)))',
}
