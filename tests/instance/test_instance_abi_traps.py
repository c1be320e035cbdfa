"""Traps of the canonical ABI say which function's values are wrong, and where the guest was that called it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from wippywasm.errors import PoisonedError, Trap

EXPORTS = """
(component
  (import "host" (instance $host
    (export "tell" (func (param "s" string)))
    (export "ask" (func (result string)))))
  (core module $libc
    (memory (export "m") 1)
    (func (export "beyond") (param i32 i32 i32 i32) (result i32) (i32.const -16)))
  (core instance $libc (instantiate $libc))
  (core func $tell (canon lower (func $host "tell") (memory (core memory $libc "m"))))
  (core func $ask (canon lower (func $host "ask")
    (memory (core memory $libc "m")) (realloc (core func $libc "beyond"))))
  (core module $m
    (import "libc" "m" (memory 1))
    (import "host" "tell" (func $tell (param i32 i32)))
    (import "host" "ask" (func $ask (param i32)))
    (func $leaving (export "leaving") (param i32 i32 i32 i32) (result i32) (call $ask (i32.const 8)) (i32.const 64))
    (func (export "take") (param i32 i32))
    (func (export "strange-list") (result i32) (i32.store (i32.const 4) (i32.const -1)) (i32.const 0))
    (func (export "strange-text") (result i32)
      (i64.store (i32.const 0) (i64.const 0x1_0000_0008)) (i32.store8 (i32.const 8) (i32.const 255)) (i32.const 0))
    (func (export "strange-case") (result i32) (i32.const 7))
    (func $telling (i32.const 8) (i32.const -1) (call $tell))
    (func $outer (export "tell") (call $telling))
    (func $asking (export "ask") (call $ask (i32.const 8))))
  (core instance $i (instantiate $m (with "libc" (instance $libc)) (with "host" (instance
    (export "tell" (func $tell)) (export "ask" (func $ask))))))
  (func (export "strange-list") (result (list u32))
    (canon lift (core func $i "strange-list") (memory (core memory $libc "m"))))
  (func (export "strange-text") (result string)
    (canon lift (core func $i "strange-text") (memory (core memory $libc "m"))))
  (func (export "strange-case") (result (result)) (canon lift (core func $i "strange-case")))
  (func (export "take") (param "s" string) (canon lift (core func $i "take")
    (memory (core memory $libc "m")) (realloc (core func $libc "beyond"))))
  (func (export "leave") (param "s" string) (canon lift (core func $i "take")
    (memory (core memory $libc "m")) (realloc (core func $i "leaving"))))
  (func (export "tell") (canon lift (core func $i "tell")))
  (func (export "ask") (canon lift (core func $i "ask"))))
"""
HOST = {"host": {"tell": lambda s: None, "ask": lambda: "x"}}
TOLD = [
    ("strange-list", "strange-list", "list pointer/length out of bounds of memory in the result of `strange-list`"),
    ("strange-text", "strange-text", "invalid utf-8 sequence of 1 bytes from index 0 in the result of `strange-text`"),
    ("strange-case", "strange-case", "invalid variant discriminant in the result of `strange-case`"),
    ("take", "take", "realloc return: beyond end of memory in an argument of `take`"),
    ("leave", "host#ask", "cannot leave component instance to call `host#ask`"),
    ("tell", "host#tell", "string pointer/length out of bounds of memory in an argument of `host#tell`"),
    ("ask", "host#ask", "realloc return: beyond end of memory in the result of `host#ask`"),
]
OF_IMPORTS = {"leave", "tell", "ask"}

OWNER = """
(component $owner
  (type $r (resource (rep i32)))
  (core func $new (canon resource.new $r))
  (core module $m
    (import "" "new" (func $new (param i32) (result i32)))
    (memory (export "m") 1)
    (func (export "make") (param i32) (result i32) (call $new (local.get 0)))
    (func (export "take") (param i32))
    (func (export "say") (param i32 i32))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64)))
  (core instance $i (instantiate $m (with "" (instance (export "new" (func $new))))))
  (export $thing "thing" (type $r))
  (func (export "make") (param "rep" u32) (result (own $thing)) (canon lift (core func $i "make")))
  (func (export "take") (param "x" (own $thing)) (canon lift (core func $i "take")))
  (func (export "say") (param "s" string) (canon lift (core func $i "say")
    (memory (core memory $i "m")) (realloc (core func $i "realloc")))))
"""
CHAIN = f"""
(component
  {OWNER}
  (component $user
    (import "owner" (instance $owner
      (export "thing" (type $thing (sub resource)))
      (export "take" (func (param "x" (own $thing))))
      (export "say" (func (param "s" string)))))
    (alias export $owner "thing" (type $thing))
    (core func $take (canon lower (func $owner "take")))
    (core func $drop (canon resource.drop $thing))
    (core module $libc (memory (export "m") 1))
    (core instance $libc (instantiate $libc))
    (core func $say (canon lower (func $owner "say") (memory (core memory $libc "m")) ENCODING))
    (core module $m
      (import "" "take" (func $take (param i32)))
      (import "" "drop" (func $drop (param i32)))
      (import "" "say" (func $say (param i32 i32)))
      (func (export "take") (call $take (i32.const 5)))
      (func (export "drop") (call $drop (i32.const 6)))
      (func (export "say") (call $say (i32.const 8) (i32.const 0x7ffffff)))
      (func (export "keep") (param i32)))
    (core instance $i (instantiate $m (with "" (instance
      (export "take" (func $take)) (export "drop" (func $drop)) (export "say" (func $say))))))
    (func (export "take") (canon lift (core func $i "take")))
    (func (export "drop") (canon lift (core func $i "drop")))
    (func (export "say") (canon lift (core func $i "say")))
    (func (export "keep") (param "x" (borrow $thing)) (canon lift (core func $i "keep"))))
  (instance $owner (instantiate $owner))
  (instance $user (instantiate $user (with "owner" (instance $owner))))
  (export "owner" (instance $owner))
  (export "user" (instance $user)))
"""
OF_COMPONENTS = [
    ("take", "take", "unknown handle index 5 in an argument of `take`"),
    ("drop", "resource.drop thing", "unknown handle index 6 in `resource.drop thing`"),
    ("say", "say", "string content out-of-bounds in an argument of `say`"),
]


@pytest.mark.parametrize(("export", "function", "message"), TOLD)
def test_a_trap_names_the_function(load: Callable[..., Any], export: str, function: str, message: str) -> None:
    guest = load(EXPORTS).instantiate(HOST)
    given = ["hi"] if export in ("take", "leave") else []
    with pytest.raises(Trap) as caught:
        guest.call(export, *given)
    assert (caught.value.message, caught.value.function) == (message, function)
    assert caught.value.details["function"] == function
    assert str(caught.value).startswith(message)
    with pytest.raises(PoisonedError) as refused:
        guest.call(export, *given)
    assert f"an earlier call ended it: Trap: {message}" in refused.value.message


@pytest.mark.parametrize("encoding", ["", "string-encoding=utf16"])
@pytest.mark.parametrize(("export", "function", "message"), OF_COMPONENTS)
def test_a_trap_names_the_function_of_another_component(
    load: Callable[..., Any], export: str, function: str, message: str, encoding: str
) -> None:
    guest = load(CHAIN.replace("ENCODING", encoding)).instantiate()
    with pytest.raises(Trap) as caught:
        guest.call(f"user#{export}")
    assert (caught.value.message, caught.value.function) == (message, function)


def test_what_remains_borrowed_names_the_call(load: Callable[..., Any]) -> None:
    guest = load(CHAIN.replace("ENCODING", "")).instantiate()
    with pytest.raises(Trap, match=r"borrow handles still remain at the end of the call of `user#keep`$"):
        guest.call("user#keep", guest.call("owner#make", 1))


@pytest.mark.parametrize("export", sorted(OF_IMPORTS))
def test_a_trap_below_the_guest_has_its_frames(load: Callable[..., Any], engine: str, export: str) -> None:
    """wasmer tells no frames where what is raised is not its own."""
    if engine == "wasmer":
        pytest.skip("wasmer gives no backtrace for what the host raises")
    with pytest.raises(Trap) as caught:
        load(EXPORTS).instantiate(HOST).call(export, *["hi"] * (export == "leave"))
    called = {"leave": ["leaving"], "tell": ["telling", "outer"], "ask": ["asking"]}[export]
    assert [f.function for f in caught.value.frames] == called
    assert [f.partition(" ")[0] for f in caught.value.details["frames"]] == [f"m!{name}" for name in called]


@pytest.mark.parametrize("waits", [False, True])
def test_a_trap_of_a_call_by_a_task_names_the_function(load: Callable[..., Any], waits: bool) -> None:
    async def ask() -> str:
        if waits:
            await asyncio.sleep(0)
        return "x"

    async def main() -> None:
        guest = load(EXPORTS).instantiate({"host": {"tell": lambda s: None, "ask": ask}})
        with pytest.raises(Trap, match="realloc return: beyond end of memory in the result of `host#ask`"):
            await guest.call_async("ask")

    asyncio.run(main())
