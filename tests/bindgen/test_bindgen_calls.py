"""Real guests through generated packages, on every engine."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from wippywasm import Err, Ok, Some, load
from wippywasm.bindgen.sources import read_world
from wippywasm.engine.port import Engine
from wippywasm.errors import LinkError, ValueMismatchError, WitError
from wippywasm.wit import World, parse_text

ROOT = Path(__file__).parent.parent.parent
ZOO = ROOT / "tests/guests/zoo.wasm"
Make = Callable[[World], ModuleType]


@pytest.fixture(scope="module")
def zoo(make: Make) -> ModuleType:
    return make(read_world(ROOT / "tests/guests/zoo/zoo.wit"))


@pytest.fixture(scope="module")
def kinds(zoo: ModuleType) -> Any:
    return importlib.import_module(f"{zoo.__name__}.exports.kinds")


def test_records_variants_enums_and_flags_are_of_their_classes(zoo: ModuleType, kinds: Any, engine: Engine) -> None:
    with zoo.instantiate(load(ZOO, engine=engine)) as world:
        numbers = kinds.Numbers(1, 2, 3, 4, 5, 6, 7, 8, 1.5, 2.5, True, "b")
        negated = world.kinds.negate_all(numbers)
        assert negated.__class__ is kinds.Numbers
        assert (negated.a, negated.i, negated.l_) == (254, -1.5, "c")
        assert world.kinds.negate_all(negated) == numbers
        assert world.kinds.double(kinds.ShapeCircle(2.0)) == kinds.ShapeCircle(4.0)
        assert world.kinds.double(kinds.ShapeNothing()) == kinds.ShapeNothing()
        assert world.kinds.double(kinds.ShapeRectangle((1.0, 2.0))) == kinds.ShapeRectangle((2.0, 4.0))
        assert world.kinds.next_color(kinds.Color.BLUE) is kinds.Color.RED
        assert world.kinds.invert(set(kinds.Access)) == set()
        assert world.kinds.invert({kinds.Access.READ}) == set(kinds.Access) - {kinds.Access.READ}
        assert {type(flag) for flag in world.kinds.invert(set())} == {kinds.Access}


def test_what_needs_no_class_is_as_without_bindings(zoo: ModuleType, kinds: Any, engine: Engine) -> None:
    with zoo.instantiate(load(ZOO, engine=engine)) as world:
        assert world.kinds.climb(None) == Some(None)
        assert world.kinds.swap_all([Ok(1), Err("x")]) == [Err(1), Ok("x")]
        assert world.kinds.swap(Err(3)) == 3
        with pytest.raises(WitError) as caught:
            world.kinds.swap(Ok("bad"))
        assert caught.value.payload == "bad"
        assert world.kinds.double(kinds.ShapeLabel("ab")) == kinds.ShapeLabel("abab")


def test_dicts_and_names_are_taken_too(zoo: ModuleType, kinds: Any, engine: Engine) -> None:
    given = dict(zip("abcdefghijkl", [1, 2, 3, 4, 5, 6, 7, 8, 1.5, 2.5, True, "b"]))
    with zoo.instantiate(load(ZOO, engine=engine)) as world:
        assert world.kinds.negate_all(given) == world.kinds.negate_all(kinds.Numbers(*given.values()))
        assert world.kinds.next_color("red") is kinds.Color.GREEN


@pytest.mark.parametrize(
    ("function", "value", "words"),
    [
        ("negate_all", lambda k: k.Numbers(300, *range(1, 12)), "value.a: expected u8 .0 to 255., got 300"),
        ("double", lambda k: k.Color.RED, "give an object of ShapeNothing, ShapeCircle"),
        ("double", lambda k: k.ShapeCircle("wide"), "value.circle: expected f64"),
        ("next_color", lambda k: "purple", "value: expected enum"),
        ("invert", lambda k: {k.Color.RED}, "there is no flag"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(
    zoo: ModuleType, kinds: Any, engine: Engine, function: str, value: Any, words: str
) -> None:
    with zoo.instantiate(load(ZOO, engine=engine)) as world:
        with pytest.raises(ValueMismatchError, match=words):
            getattr(world.kinds, function)(value(kinds))
        assert world.kinds.negate(True) is False


def test_resources_are_objects_of_their_class(zoo: ModuleType, kinds: Any, engine: Engine) -> None:
    with zoo.instantiate(load(ZOO, engine=engine)) as world:
        with world.kinds.Counter(5) as counter:
            assert counter.__class__ is kinds.Counter
            assert (counter.add(3), counter.value()) == (8, 8)
            first = world.kinds.Counter(1)
            joined = world.kinds.Counter.join(first, counter)
            assert (joined.value(), first.closed, counter.closed) == (9, True, False)
            with pytest.raises(ValueMismatchError, match="closed or was given away"):
                world.kinds.Counter.join(first, counter)
            joined.close()
        assert counter.closed
        assert world.kinds.live_counters() == 0


def test_every_function_has_a_twin_for_tasks(zoo: ModuleType, kinds: Any, engine: Engine) -> None:
    async def run() -> None:
        with zoo.instantiate(load(ZOO, engine=engine)) as world:
            assert await world.kinds.double_async(kinds.ShapeLabel("ab")) == kinds.ShapeLabel("abab")
            counter = await world.kinds.Counter.new_async(5)
            assert (await counter.add_async(3), counter.value()) == (8, 8)

    asyncio.run(run())


def test_instances_with_and_without_bindings_live_side_by_side(zoo: ModuleType, kinds: Any, engine: Engine) -> None:
    component = load(ZOO, engine=engine)
    with component.instantiate() as plain, zoo.instantiate(component) as bound:
        assert plain.call("kinds#next-color", "red") == "green"
        assert plain.call("kinds#next-color", "red").__class__ is str
        assert bound.kinds.next_color("red").__class__ is kinds.Color
        assert plain.call("kinds#negate-all", {**dict.fromkeys("abcdefghij", 1), "k": True, "l": "b"}).__class__ is dict


def test_a_component_of_another_world_is_refused(make: Make, engine: Engine) -> None:
    text = ZOO.with_name("zoo").joinpath("zoo.wit").read_text()
    changed = make(parse_text(text.replace("next-color: func(value: color)", "next-color: func(value: shape)")).world())
    with pytest.raises(LinkError, match=r"does not fit the bindings: export .*#next-color.value: expected variant"):
        changed.instantiate(load(ZOO, engine=engine))
    more = make(parse_text(text.replace("ping: func();", "ping: func(); pong: func();")).world())
    with pytest.raises(LinkError, match=r"does not fit the bindings: .*kinds@0.3.1#pong") as caught:
        more.instantiate(load(ZOO, engine=engine))
    assert "wippywasm wit diff" in str(caught.value.hint)
