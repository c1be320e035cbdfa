"""Components that we did not build, called through their generated packages: the same as without one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from tests.abi import abi_types
from tests.bindgen.plain_values import plain
from tests.vectors import components, needs_vectors
from wippywasm import Component, load
from wippywasm.binary import decode
from wippywasm.engine.port import Engine
from wippywasm.errors import InvalidError, UnsupportedFeatureError, WippyError
from wippywasm.inspect.samples import sample_arguments
from wippywasm.instance.names import snake
from wippywasm.model import FuncType, ResultType
from wippywasm.wit import World, world_of_component

Make = Callable[[World], ModuleType]


@needs_vectors
def test_every_function_of_the_vectors(make: Make, engine: Engine) -> None:
    packages, answered, refused = 0, 0, 0
    for place, wasm in components():
        try:
            component = load(wasm, engine=engine)
            package = make(world_of_component(decode(wasm)).world())
            with (
                package.instantiate(component, undeclared="deny") as bound,
                component.instantiate(undeclared="deny") as guest,
            ):
                outcomes = list(pairs(component, guest, bound))
        except (UnsupportedFeatureError, InvalidError):
            continue  # needs what this engine or runtime lacks, or has what WIT has no words for
        packages += 1
        for key, with_classes, without in outcomes:
            assert abi_types.same(with_classes, without), f"{place}: {key}"
            answered += not isinstance(without, type)
            refused += isinstance(without, type)
    assert packages > (100 if engine.name == "wasmtime" else 80)
    assert answered > 100
    assert refused > 20


def pairs(component: Component, guest: Any, bound: Any) -> Iterator[tuple[str, Any, Any]]:
    """For each function: its key, what it answers through the package (as plain values) and without one."""
    for key, type in component.functions.items():
        interface, _, name = key.rpartition("#")
        values = sample_arguments(type)
        if name.startswith("[") or values is None:
            continue  # resources have tests of their own
        owner = getattr(bound, snake(interface.partition("@")[0].rpartition("/")[2])) if interface else bound
        with_classes = outcome(getattr(owner, snake(name)), values)
        yield key, in_plain(type, with_classes), outcome(lambda *v, key=key: guest.call(key, *v), values)


def outcome(call: Callable[..., Any], values: list[Any]) -> Any:
    """The result, or the class of the error."""
    try:
        return call(*values)
    except WippyError as error:
        return type(error)


def in_plain(t: FuncType, value: Any) -> Any:
    result = t.result.ok if isinstance(t.result, ResultType) else t.result
    return value if isinstance(value, type) else plain(result, value)
