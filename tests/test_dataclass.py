"""Classes whose methods are made late, beside the same classes made by the standard library."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from collections.abc import Callable, Iterator
from dataclasses import field
from pathlib import Path
from typing import Any

import pytest

import wippywasm
from wippywasm.dataclass import MOST_SHOWN, dataclass

Decorate = Callable[[type], Any]
SETTINGS: list[dict[str, bool]] = [
    {},
    {"frozen": True},
    {"slots": True},
    {"frozen": True, "slots": True},
    {"frozen": True, "eq": False},
    {"frozen": True, "order": True},
    {"eq": False},
    {"repr": False},
]


def classes(decorate: Decorate) -> Iterator[tuple[Any, list[tuple[Any, ...]]]]:
    """Classes of many shapes, each with arguments for its objects."""

    class Plain:
        a: int
        b: str

    class Defaults:
        a: int = 1
        b: list[int] = field(default_factory=list)
        c: int = field(default=3, kw_only=True)
        d: int = field(default=4, init=False)
        e: list[int] = field(default_factory=list, init=False)
        f: int = field(default=5, repr=False, compare=False)

    class After:
        a: int
        total: int = field(init=False)

        def __post_init__(self) -> None:
            object.__setattr__(self, "total", self.a + 1)

    class Own:
        a: int

        def __repr__(self) -> str:
            return "own"

        def __hash__(self) -> int:
            return 7

    class OwnEq:
        a: int

        def __eq__(self, other: object) -> bool:
            return True

    class Empty:
        pass

    base: Any = decorate(Plain)

    class Derived(base):  # type: ignore[misc]
        c: int = 5

    yield base, [(1, "x"), (1, "y"), (2, "x")]
    shapes: list[tuple[type, list[tuple[Any, ...]]]] = [
        (Defaults, [(), (2,), (2, [3])]),
        (After, [(1,), (2,)]),
        (Own, [(1,), (2,)]),
        (OwnEq, [(1,), (2,)]),
        (Empty, [()]),
        (Derived, [(1, "x"), (1, "x", 6)]),
    ]
    for cls, arguments in shapes:
        yield decorate(cls), arguments


def answer(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except (TypeError, AttributeError, ValueError) as error:
        return type(error).__name__


def facts(cls: Any, arguments: list[tuple[Any, ...]]) -> list[Any]:
    """What can be seen of a class and of its objects; where the library's error is an odd one, that there is one."""
    objects = [cls(*given) for given in arguments] + [cls(*given) for given in arguments]
    pairs = [(left, right) for left in objects for right in [*objects, 1]]
    first = objects[0]
    name = next(iter(cls.__dataclass_fields__), "other")
    return [
        str(inspect.signature(cls)),
        [answer(lambda given=given: cls(**given)) == "TypeError" for given in ({"nothing": 1}, {"c": 4})],  # type: ignore[misc]
        [repr(o) if "object at" not in repr(o) else "" for o in objects],
        [dataclasses.asdict(o) for o in objects],
        [left == right for left, right in pairs],
        [answer(lambda left=left, right=right: left < right) for left, right in pairs],  # type: ignore[misc]
        [answer(lambda left=left, right=right: left >= right) for left, right in pairs],  # type: ignore[misc]
        [answer(lambda o=o: hash(o) == hash(first)) for o in objects],  # type: ignore[misc]
        isinstance(answer(lambda: setattr(first, name, 9)), str),
        isinstance(answer(lambda: delattr(first, name)), str),
        isinstance(answer(lambda: setattr(first, "other", 9)), str),
        dataclasses.asdict(copy.copy(objects[1 % len(objects)])),
        cls.__match_args__,
        hasattr(first, "__dict__"),
        cls.__name__,
        cls.__init__.__qualname__,
        sorted(cls.__init__.__annotations__.items(), key=str),
    ]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_a_class_is_as_one_of_the_standard_library(settings: dict[str, bool]) -> None:
    ours = classes(lambda cls: dataclass(**settings)(cls))
    theirs = classes(lambda cls: dataclasses.dataclass(**settings)(cls))
    for (cls, arguments), (other, _) in zip(ours, theirs, strict=True):
        assert facts(cls, arguments) == facts(other, arguments), cls


@dataclass(frozen=True, slots=True)
class Point:
    x: int
    y: int = 2


class Beneath(Point):
    """No dataclass itself."""


def test_methods_are_compiled_when_they_are_looked_up() -> None:
    @dataclass(frozen=True)
    class Fresh:
        x: int

    late = type(vars(Fresh)["__init__"])
    assert late is type(vars(Fresh)["__hash__"]) is not type(facts)
    value = Fresh(1)
    assert type(vars(Fresh)["__init__"]) is type(facts)
    assert type(vars(Fresh)["__hash__"]) is late
    assert hash(value) == hash(Fresh(1))
    assert type(vars(Fresh)["__hash__"]) is type(facts)


def test_frozen_objects_with_slots_can_be_pickled_and_copied() -> None:
    assert pickle.loads(pickle.dumps(Point(1))) == Point(1) == copy.deepcopy(Point(1))
    assert dataclasses.replace(Point(1), y=3) == Point(1, 3)


def test_an_undecorated_class_below_has_attributes_of_its_own() -> None:
    below = Beneath(1)
    below.other = 3  # type: ignore[attr-defined]
    with pytest.raises(dataclasses.FrozenInstanceError):
        below.x = 4  # type: ignore[misc]
    del below.other  # type: ignore[attr-defined]
    assert below.x == 1


def test_a_class_without_a_description_has_none() -> None:
    assert Point.__doc__ is None
    assert Beneath.__doc__


def test_every_class_of_the_package_is_made_so() -> None:
    package = Path(wippywasm.__file__).parent
    eager = [
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        for line in path.read_text().splitlines()
        if line.startswith("from dataclasses import") and "dataclass" in line.split("import")[1].split(", ")
    ]
    assert eager == []


def test_the_repr_of_an_object_shows_a_bounded_number_of_others() -> None:
    @dataclass
    class Pair:
        one: object
        other: object

    pair: object = Pair(1, 2)
    assert repr(Pair(pair, pair)).endswith("Pair(one=1, other=2))")
    for _ in range(20):
        pair = Pair(pair, pair)
    assert repr(pair).count("one=") == MOST_SHOWN + 1
    assert repr(pair) == repr(pair)
