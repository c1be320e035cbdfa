"""Host functions that a component exports as they are: called by the rules of any call."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from wippywasm.errors import PermissionDeniedError, ValueMismatchError, WitError
from wippywasm.values import Err, Ok

PASSING = """
(component
  (type $user (record (field "id" u32) (field "full-name" string) (field "tags" (list string))))
  (import "host" (instance $host
    (alias outer 1 $user (type $user'))
    (export "user" (type $user (eq $user')))
    (export "rename" (func (param "who" $user) (param "to" string) (result $user)))
    (export "half" (func (param "n" u32) (result (result u32 (error string)))))
    (export "sum" (func (param "some" (list f32)) (result f32)))
    (export "raw" (func (param "some" (list u8)) (result (list u8))))
    (export "shout" (func (param "text" string)))
    (export "blob" (type $blob (sub resource)))
    (export "[constructor]blob" (func (param "n" u32) (result (own $blob))))
    (export "[method]blob.size" (func (param "self" (borrow $blob)) (result u32)))
    (export "swallow" (func (param "b" (own $blob)) (result u32)))))
  (export "all" (instance $host)))
"""


class Blob:
    def __init__(self, n: int) -> None:
        self.n = n

    def size(self) -> int:
        return self.n


def half(n: int) -> Any:
    if n % 2:
        raise WitError("odd")
    return n // 2


class Host:
    Blob: Any = Blob

    def __init__(self) -> None:
        self.given: list[Any] = []

    def rename(self, who: Any, to: str) -> Any:
        self.given.append(who)
        return {**who, "full-name": to}

    def half(self, n: int) -> Any:
        return half(n)

    def sum(self, some: list[float]) -> float:
        return sum(some)

    def raw(self, some: Any) -> Any:
        self.given.append(some)
        return bytearray(some)

    def shout(self, text: str) -> None:
        self.given.append(text)

    def swallow(self, b: Any) -> int:
        return int(b.n)


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def exports(load: Any, host: Host) -> Any:
    with load(PASSING).instantiate({"host": host}) as guest:
        yield guest.exports["all"]


def test_values_come_in_the_form_that_they_have_in_any_call(exports: Any, host: Host) -> None:
    who = SimpleNamespace(id=1, full_name="Zoë", tags=("a",))
    assert exports.rename(who, "Zoe") == {"id": 1, "full-name": "Zoe", "tags": ["a"]}
    assert host.given == [{"id": 1, "full-name": "Zoë", "tags": ["a"]}]
    assert exports.sum([0.1]) != 0.1  # rounded to an f32
    assert exports.raw(memoryview(b"abc")) == b"abc"
    assert host.given[1] == b"abc"
    assert exports.shout("x") is None


def test_arguments_are_checked(exports: Any, host: Host) -> None:
    with pytest.raises(ValueMismatchError, match=r"who.tags\[1\]: expected string, got 5"):
        exports.rename({"id": 1, "full-name": "", "tags": ["a", 5]}, "x")
    with pytest.raises(ValueMismatchError, match="1 argument"):
        exports.half(1, 2)
    assert host.given == []


def test_results_that_do_not_fit(load: Any) -> None:
    host = SimpleNamespace(
        rename=lambda who, to: {"id": "one", "full-name": to, "tags": []},
        half=lambda n: Ok("much"),
        sum=lambda some: "much",
        raw=lambda some: 5,
        shout=lambda text: 5,
        swallow=lambda b: -1,
        Blob=Blob,
    )
    with load(PASSING).instantiate({"host": host}) as guest:
        exports = guest.exports["all"]
        with pytest.raises(ValueMismatchError, match="id: expected u32, got 'one'"):
            exports.rename({"id": 1, "full-name": "", "tags": []}, "x")
        with pytest.raises(ValueMismatchError, match="expected f32, got 'much'"):
            exports.sum([])
        with pytest.raises(ValueMismatchError, match="expected u32, got 'much'"):
            exports.half(2)
        with pytest.raises(ValueMismatchError, match="expected None, got 5"):
            exports.shout("x")
        with pytest.raises(ValueMismatchError, match="got -1"):
            exports.swallow(exports.Blob(1))
        assert guest.usable


def test_err_is_raised_and_ok_returned(exports: Any) -> None:
    assert exports.half(4) == 2
    with pytest.raises(WitError) as error:
        exports.half(3)
    assert error.value.payload == "odd"


def test_what_a_host_function_raises_comes_out_and_harms_nobody(load: Any) -> None:
    def half(n: int) -> Any:
        raise KeyError(n)

    host = Host()
    host.half = half  # type: ignore[method-assign]
    with load(PASSING).instantiate({"host": host}) as guest:
        for _ in range(2):
            with pytest.raises(KeyError):
                guest.exports["all"].half(3)


def test_resources_of_the_host_pass_as_they_are(exports: Any) -> None:
    blob = exports.Blob(7)
    assert isinstance(blob, Blob)
    assert exports.Blob.size(blob) == 7
    assert exports.swallow(blob) == 7


def test_a_host_function_may_call_what_exports_it(load: Any) -> None:
    host = Host()
    host.half = lambda n: Ok(n) if n < 2 else guest.exports["all"].half(n // 2)  # type: ignore[method-assign]
    with load(PASSING).instantiate({"host": host}) as guest:
        assert guest.exports["all"].half(32) == 1


def test_one_that_is_denied_denies(load: Any) -> None:
    with (
        load(PASSING).instantiate(undeclared="deny") as guest,
        pytest.raises(PermissionDeniedError, match="host#half"),
    ):
        guest.exports["all"].half(2)


WAITING = '(component (import "nap" (func $nap (param "n" u32) (result RESULT))) (export "doze" (func $nap)))'


async def nap(n: int) -> Any:
    await asyncio.sleep(0)
    return n + 1


def test_what_waits_is_waited_for(load: Any) -> None:
    with load(WAITING.replace("RESULT", "u32")).instantiate({"nap": nap}) as guest:
        assert guest.call("doze", 1) == 2


@pytest.mark.parametrize(("result", "ok"), [("u32", 2), ("(tuple u32 u32)", None), ("(result u32)", 2)])
def test_tasks_await_what_waits(load: Any, result: str, ok: Any) -> None:
    async def use() -> None:
        with load(WAITING.replace("RESULT", result)).instantiate({"nap": nap}) as guest:
            if ok is not None:
                assert await guest.call_async("doze", 1) == ok
            else:
                with pytest.raises(ValueMismatchError, match="expected tuple<u32, u32>, got 2"):
                    await guest.call_async("doze", 1)

    asyncio.run(use())


def test_tasks_get_what_is_in_memory(load: Any) -> None:
    async def use() -> None:
        async def pair(n: int) -> Any:
            await asyncio.sleep(0)
            return n, n + 1

        async def refuse(n: int) -> Any:
            return Err(None)

        with load(WAITING.replace("RESULT", "(tuple u32 u32)")).instantiate({"nap": pair}) as guest:
            assert await guest.call_async("doze", 5) == (5, 6)
        with load(WAITING.replace("RESULT", "(result)")).instantiate({"nap": refuse}) as guest, pytest.raises(WitError):
            await guest.call_async("doze", 5)

    asyncio.run(use())


def test_a_bad_result_is_told_of_the_import(load: Any) -> None:
    renaming = load(
        """(component
          (import "a:b/c" (instance $i (export "f" (func (result u32)))))
          (export "g" (func $i "f")))"""
    )
    with (
        renaming.instantiate({"a:b/c": {"f": lambda: "x"}}) as guest,
        pytest.raises(ValueMismatchError, match=r"^result of a:b/c#f: expected u32, got 'x'$"),
    ):
        guest.call("g")
