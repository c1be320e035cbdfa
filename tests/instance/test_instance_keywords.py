"""Arguments by name: WIT's names in snake_case, whatever the generated code itself calls things."""

from __future__ import annotations

import asyncio
import dataclasses
from types import SimpleNamespace
from typing import Any

import pytest

from wippywasm.errors import ValueMismatchError, WitError

SUB = """
(component
  (core module $m
    (func (export "sub") (param i32 i32) (result i32) (i32.sub (local.get 0) (local.get 1)))
    (func (export "check") (param i32) (result i32) (local.get 0)))
  (core instance $i (instantiate $m))
  (func (export "sub") (param "FIRST" s32) (param "SECOND" s32) (result s32) (canon lift (core func $i "sub")))
  (func (export "check") (param "failed" bool) (result (result)) (canon lift (core func $i "check"))))
"""

NAMES = [
    ("a", "b"),
    ("left-hand", "right-hand"),
    ("from", "in"),
    ("core", "inst"),
    ("entering", "signature"),
    ("tried", "misfit"),
    ("int", "len"),
    ("r", "cx"),
    ("extra", "error"),
    ("named", "known"),
    ("v0", "lifted"),
    ("MISSING", "poison"),
    ("bind", "self"),
    ("name", "args"),
]


@pytest.mark.parametrize(("first", "second"), NAMES)
def test_arguments_by_name(load: Any, first: str, second: str) -> None:
    python = [{"from": "from_", "in": "in_"}.get(n, n.replace("-", "_")) for n in (first, second)]
    source = SUB.replace("FIRST", first).replace("SECOND", second)
    with load(source).instantiate() as guest:
        sub = guest.exports.sub
        assert sub(7, 2) == 5
        assert sub(**dict(zip(python, (7, 2)))) == 5
        assert sub(7, **{python[1]: 2}) == 5
        assert guest.call("sub", **dict(zip(python, (7, 2)))) == 5
        with pytest.raises(ValueMismatchError, match=f"{first}: expected s32, got 'x'"):
            sub(**dict(zip(python, ("x", 2))))
        with pytest.raises(ValueMismatchError, match="2 arguments"):
            sub(**{python[1]: 2})
        with pytest.raises(ValueMismatchError, match="2 arguments"):
            sub(1, 2, 3)
        with pytest.raises(
            ValueMismatchError, match=f"sub: expected arguments named {python[0]}, {python[1]}, got one"
        ):
            sub(1, 2, other=3)
        with pytest.raises(ValueMismatchError, match=f"sub: expected one value for {python[0]}, got two"):
            sub(7, **{python[0]: 2})
        with pytest.raises(ValueMismatchError, match=r"2 arguments .*, got 4"):
            sub(1, 2, 3, **{python[0]: 2})
        with pytest.raises(ValueMismatchError, match="got one named 'other'"):
            guest.call("sub", other=3)


def test_a_result_with_arguments_by_name(load: Any) -> None:
    with load(SUB.replace("FIRST", "a").replace("SECOND", "b")).instantiate() as guest:
        assert guest.exports.check(failed=False) is None
        with pytest.raises(WitError):
            guest.exports.check(failed=True)


def test_tasks_give_arguments_by_name(load: Any) -> None:
    async def use() -> None:
        with load(SUB.replace("FIRST", "a").replace("SECOND", "b")).instantiate() as guest:
            assert await guest.call_async("sub", b=2, a=7) == 5
            with pytest.raises(WitError):
                await guest.call_async("check", failed=True)

    asyncio.run(use())


RECORDS = """
(component
  (type $pair (record (field "end" string) (field "m" string)))
  (core module $m
    (memory (export "mem") 1)
    (global $top (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
      (global.set $top (i32.add (local.get $at) (local.get 3)))
      (local.get $at))
    (func (export "f") (param i32 i32 i32 i32 i32 i32) (result i32)
      (i32.store (i32.const 0) (local.get 0)) (i32.store (i32.const 4) (local.get 1))
      (i32.store (i32.const 8) (local.get 2)) (i32.store (i32.const 12) (local.get 3))
      (i32.const 0)))
  (core instance $i (instantiate $m))
  (export $pair' "pair" (type $pair))
  (func (export "f") (param "m" $pair') (param "end" (list u8)) (result $pair')
    (canon lift (core func $i "f") (memory (core memory $i "mem")) (realloc (core func $i "realloc")))))
"""


def test_fields_keep_their_names(load: Any) -> None:
    with load(RECORDS).instantiate() as guest:
        pair = {"end": "x", "m": "y"}
        assert guest.exports.f(end=b"12", m=pair) == pair
        assert guest.exports.f(pair, b"12") == pair


KEYWORD_RECORD = """
(component
  (type $r' (record (field "from" u32) (field "to-class" u32) (field "class" u32)))
  (import "r" (type $r (eq $r')))
  (import "f" (func $f (param "v" $r) (param "many" (list $r)) (result $r)))
  (export "f" (func $f)))
"""


@dataclasses.dataclass
class Keyworded:
    from_: int
    to_class: int
    class_: int


@pytest.mark.parametrize(
    "value",
    [
        Keyworded(1, 2, 3),
        SimpleNamespace(from_=1, to_class=2, class_=3),
        {"from": 1, "to-class": 2, "class": 3},
        {"from_": 1, "to_class": 2, "class_": 3},
    ],
)
def test_fields_that_are_keywords_of_python(load: Any, value: Any) -> None:
    plain = {"from": 1, "to-class": 2, "class": 3}
    seen: list[Any] = []

    def host(v: Any, many: Any) -> Any:
        seen.append((v, many))
        return value

    with load(KEYWORD_RECORD).instantiate({"f": host}) as guest:
        assert guest.call("f", value, [value, plain]) == plain
        assert seen == [(plain, [plain, plain])]
        with pytest.raises(ValueMismatchError, match="field `from` is missing"):
            guest.call("f", {"from__": 1, "to-class": 2, "class": 3}, [])
        with pytest.raises(ValueMismatchError, match="a field is given in two spellings"):
            guest.call("f", {**plain, "from_": 1}, [])
