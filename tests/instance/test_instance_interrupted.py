"""Ctrl-C while a call ends: the guest has ended as well, and what it was given goes once."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from tests.instance.test_instance_collector import GUEST
from tests.instance.test_instance_foreign_drops import HOLDER
from wippywasm.abi import destroying, state
from wippywasm.abi.destroying import drop_owned
from wippywasm.abi.handles import keep_moving, receive, send
from wippywasm.abi.scopes import ComponentScope
from wippywasm.abi.state import ComponentInstance, HostObject, Moving, ResourceHandle, RuntimeResource, Table
from wippywasm.errors import PoisonedError

ENDS = """(component
  (core module $m (func (export "f") (unreachable)))
  (core instance $i (instantiate $m))
  (func (export "f") (canon lift (core func $i "f"))))"""


def interrupt(*args: Any) -> None:
    raise KeyboardInterrupt


def check_ended(guest: Any, function: str, *args: Any) -> None:
    assert not guest.usable
    with pytest.raises(PoisonedError, match="an earlier call ended it"):
        guest.call(function, *args)
    guest.close()


def test_one_that_traps(load: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    guest = load(ENDS).instantiate()
    with monkeypatch.context() as patch:
        patch.setattr(state, "condemn", interrupt)
        with pytest.raises(KeyboardInterrupt):
            guest.call("f")
    check_ended(guest, "f")


def test_one_whose_destructor_has_returned(load: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int] = []
    guest = load(GUEST).instantiate({"told": told.append})
    thing = guest.call("make", 1)
    with monkeypatch.context() as patch:
        patch.setattr(ComponentInstance, "leave_to", interrupt)
        with pytest.raises(KeyboardInterrupt):
            thing.close()
    assert told == [1]
    check_ended(guest, "same", 1)


TAKES = """(component
  (core module $m
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64))
    (func (export "f") (param i32 i32) (if (local.get 1) (then unreachable))))
  (core instance $i (instantiate $m))
  (func (export "f") (param "s" string)
    (canon lift (core func $i "f") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))"""

GIVES = """(component
  (import "f" (func $f (param "s" string)))
  (core module $memory (memory (export "memory") 1))
  (core instance $memory (instantiate $memory))
  (core func $f (canon lower (func $f) (memory (core memory $memory "memory")) string-encoding=utf16))
  (core module $m
    (import "" "f" (func $f (param i32 i32)))
    (func (export "g") (param i32) (call $f (i32.const 8) (local.get 0))))
  (core instance $i (instantiate $m (with "" (instance (export "f" (func $f))))))
  (func (export "g") (param "n" u32) (canon lift (core func $i "g"))))"""


@pytest.mark.parametrize(("where", "what", "length"), [(state, "condemn", 1), (ComponentInstance, "leave_to", 0)])
def test_one_that_another_gives_strings(
    load: Any, monkeypatch: pytest.MonkeyPatch, where: Any, what: str, length: int
) -> None:
    """They change their encoding on the way, so the call is interpreted."""
    taker = load(TAKES).instantiate()
    giver = load(GIVES).instantiate({"f": taker.func("f")})
    with monkeypatch.context() as patch:
        patch.setattr(where, what, interrupt)
        with pytest.raises(KeyboardInterrupt):
            giver.call("g", length)
    check_ended(giver, "g", 0)
    check_ended(taker, "f", "")


@pytest.mark.parametrize(
    ("function", "where", "what"),
    [
        ("hold", ComponentScope, "take_own"),
        ("hold", ComponentScope, "return_"),
        ("drop", Table, "remove"),
        ("drop", ComponentInstance, "entering_set"),
        ("drop", destroying, "_destroy_within"),
    ],
)
def test_what_is_on_its_way_from_a_guest_or_to_its_destructor(
    load: Any, monkeypatch: pytest.MonkeyPatch, function: str, where: Any, what: str
) -> None:
    """It goes with the one that was to get it, or drops it; the guest whose it is goes on."""
    told: list[int] = []
    owner = load(GUEST).instantiate({"told": told.append})
    holder = load(HOLDER).instantiate({"thing": owner.exports.Thing, "make": owner.func("make")})
    given = 7 if function == "hold" else holder.call("hold", 7)
    with monkeypatch.context() as patch:
        patch.setattr(where, what, interrupt)
        with pytest.raises(KeyboardInterrupt):
            holder.call(function, given)
    check_ended(holder, "hold", 1)
    assert told == [7] * (what != "return_")
    assert owner.usable is (what != "return_")
    owner.close()


class Stays(Table):
    """A table in which Ctrl-C comes before an element leaves."""

    def remove(self, index: int) -> Any:
        raise KeyboardInterrupt


def test_an_object_of_the_host_that_leaves_for_another_guest() -> None:
    ended: list[object] = []
    type = RuntimeResource(None, lambda held: ended.append(held.value))
    giver = ComponentInstance()
    giver.handles = Stays()
    assert type.objects is not None
    value = object()
    index = giver.handles.add(ResourceHandle(type, type.objects.add(HostObject(value)), own=True))
    moving: Moving = []
    with pytest.raises(KeyboardInterrupt):
        send(giver, index, type, moving)
    keep_moving(giver, moving)
    drop_owned(giver)
    assert ended == [value]
    assert list(type.objects) == []


class Interrupted(Table):
    """A table in which Ctrl-C comes before or after an element has its place."""

    is_after = False

    def add(self, element: Any) -> int:
        if self.is_after:
            super().add(element)
        raise KeyboardInterrupt


@pytest.mark.parametrize("is_hosts", [False, True])
@pytest.mark.parametrize("is_after", [False, True])
def test_one_that_is_given_a_resource(is_hosts: bool, is_after: bool) -> None:
    """It is the giver's again where it has not arrived: in the table of objects, if it is the host's."""
    taker = ComponentInstance()
    taker.handles = table = Interrupted()
    table.is_after = is_after
    type = RuntimeResource(None if is_hosts else ComponentInstance())
    handle = ResourceHandle(type, object() if is_hosts else 7, own=True)
    with pytest.raises(KeyboardInterrupt):
        receive(taker, handle, type)
    assert handle.own is not (is_after or is_hosts)


READS = """
import gc
import sys
import wippywasm
from wippywasm.abi import guest_values

def interrupt(*args):
    raise KeyboardInterrupt

def call(guest):
    try:
        guest.call("f")
    except KeyboardInterrupt as error:
        kept = error  # which leads to this frame, and to those that read

guest_values.flags_of = interrupt
code = '(module (memory (export "memory") 1) (func (export "f") (result i32) '
code += '(i32.store (i32.const 20) (i32.const %s)) (i32.const 16)))' % sys.argv[2]
wit = "flags both { a, b } f: func() -> list<tuple<both, u8>>;"
call(wippywasm.load(code, wit=wit, engine=sys.argv[1]).instantiate())
gc.collect()
"""


@pytest.mark.parametrize("length", ["10", "5000"])
def test_a_list_that_ctrl_c_comes_into_is_collected(engine: str, length: str) -> None:
    """CPython crashes where it collects an iterator over memory."""
    subprocess.run([sys.executable, "-c", READS, engine, length], check=True, timeout=60)
