"""Closing components, and what is linked: no more instances are made, and those that there are go on."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable

import pytest

from wippywasm import Component, Limits, LinkedComponent, load
from wippywasm.engine.port import Engine
from wippywasm.errors import UnavailableError

ADDS = """
(component
  (core module $m (memory (export "m") 1)
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))
  (core instance $i (instantiate $m))
  (func (export "add") (param "a" s32) (param "b" s32) (result s32) (canon lift (core func $i "add"))))
"""
MANY = 20
"""Instances, of which the later ones are made in a pool where the engine has one."""


@pytest.fixture
def adds(engine: Engine) -> Component:
    return load(ADDS, engine=engine)


USES: dict[str, Callable[[Component], object]] = {
    "instantiate": lambda c: c.instantiate(),
    "link": lambda c: c.link(),
    "compile": lambda c: c.compile(),
    "compile_for_tasks": lambda c: c.compile_for_tasks(Limits()),
    "enter": lambda c: c.__enter__(),
}


@pytest.mark.parametrize("use", USES)
def test_a_closed_component_refuses(adds: Component, use: str) -> None:
    with adds as component:
        component.compile()
    assert component.closed
    with pytest.raises(UnavailableError, match="the component is closed"):
        USES[use](component)


def test_what_a_component_made_goes_on(adds: Component) -> None:
    with adds.instantiate() as guest:
        linked = adds.link()
        linked.instantiate().close()
        adds.close()
        adds.close()
        assert list(adds.functions) == ["add"]
        assert guest.call("add", 2, 3) == 5
        with linked.instantiate() as later:
            assert later.call("add", 2, 4) == 6


def test_what_is_linked_and_not_prepared_needs_its_component(adds: Component) -> None:
    linked = adds.link()
    adds.close()
    with pytest.raises(UnavailableError, match="the component is closed"):
        linked.instantiate()


def test_a_closed_link_refuses(adds: Component) -> None:
    with adds.link() as linked:
        guests = [linked.instantiate() for _ in range(MANY)]
    assert linked.closed
    assert not adds.closed
    linked.close()
    for use in (linked.instantiate, linked.__enter__, lambda: asyncio.run(linked.instantiate_async())):
        with pytest.raises(UnavailableError, match="the linked component is closed"):
            use()
    for guest in guests:
        with guest:
            assert guest.call("add", 2, 3) == 5
    with adds.instantiate() as guest:
        assert guest.call("add", 2, 4) == 6


def test_closing_frees_the_code(adds: Component) -> None:
    linked: LinkedComponent = adds.link()
    for _ in range(MANY):
        linked.instantiate().close()
    (module,) = adds._compiled()
    left = weakref.ref(module)
    del module
    linked.close()
    assert left() is not None
    adds.close()
    gc.collect()
    assert left() is None


def test_a_closed_guest_is_not_entered(adds: Component) -> None:
    with adds.instantiate() as guest:
        pass
    with pytest.raises(UnavailableError, match="the guest is closed"), guest:
        pytest.fail("it was entered")
