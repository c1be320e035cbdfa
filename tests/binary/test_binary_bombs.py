"""Small files that name as much as two to the power of their levels get an answer for the price of what they are."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

import pytest

from tests.binary.peaks import assert_peak
from tools.bombs import SHAPES
from wippywasm.binary import decode, limits
from wippywasm.engine import wat2wasm
from wippywasm.errors import ValidationError
from wippywasm.plan import growth, plan_component
from wippywasm.plan.items import PlanInstance
from wippywasm.plan.steps import DefineResource, ResourceBuiltin


def little(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a file of any size may take is little."""
    for module, name, most in ((limits, "WORK", 20_000), (limits, "ROOM", 550_000), (growth, "BEYOND", 1_600)):
        monkeypatch.setattr(module, name, most)


def answer(wasm: bytes) -> None:
    """Decode and plan a component, or refuse it."""
    with suppress(ValidationError):
        plan_component(decode(wasm))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("levels", [8, 11, 14])
def test_memory_keeps_to_the_limits(shape: str, levels: int) -> None:
    """They take up to four megabytes."""
    wasm = wat2wasm(SHAPES[shape](levels))
    assert_peak(partial(answer, wasm), (4 << 20) + 64 * len(wasm))


@pytest.mark.parametrize(
    ("shape", "levels"),
    [
        ("args, empty", 18),
        ("args, func", 17),
        ("ascribed, less", 10),
        ("bags, exported", 9),
        ("compared, component exports", 18),
        ("compared, component imports", 18),
        ("compared, components", 18),
        ("nested, exported", 8),
        ("nested, resource", 6),
        ("types, record", 16),
        ("values, results", 18),
    ],
)
def test_what_is_shared_costs_next_to_nothing(monkeypatch: pytest.MonkeyPatch, shape: str, levels: int) -> None:
    little(monkeypatch)
    plan_component(decode(wat2wasm(SHAPES[shape](levels))))


def test_an_instance_within_a_component_has_what_its_import_speaks_of() -> None:
    text = """(component
        (import "f" (func $f))
        (instance $i (export "f" (func $f)) (export "more" (func $f)))
        (instance $o (export "i" (instance $i)) (export "more" (instance $i)))
        (component $c
            (type $t (instance (export "i" (instance (export "f" (func))))))
            (import "x" (instance $x (type $t)))
            (export "y" (instance $x)) (export "z" (instance $x "i")))
        (instance $c (instantiate $c (with "x" (instance $o))))
        (export "c" (instance $c)))"""
    made = plan_component(decode(wat2wasm(text))).exports["c"]
    assert isinstance(made, PlanInstance)
    outer, inner = made.exports["y"], made.exports["z"]
    assert isinstance(outer, PlanInstance)
    assert isinstance(inner, PlanInstance)
    assert outer.exports == {"i": inner}
    assert list(inner.exports) == ["f"]
    assert made.size == 5


def test_resources_of_nested_instances_are_those_of_their_instance() -> None:
    text = """(component
        (component $p (type $r (resource (rep i32))) (export "r" (type $r)))
        (component $c (alias outer 1 $p (component $p)) (import "given" (type $g (sub resource)))
            (instance $p (instantiate $p)) (instance $b (export "p" (instance $p)) (export "g" (type $g)))
            (export "b" (instance $b)))
        (import "host" (type $h (sub resource)))
        (instance $one (instantiate $c (with "given" (type $h))))
        (instance $two (instantiate $c (with "given" (type $h))))
        (alias export $one "b" (instance $b1)) (alias export $b1 "p" (instance $p1)) (alias export $p1 "r" (type $r1))
        (alias export $two "b" (instance $b2)) (alias export $b2 "p" (instance $p2)) (alias export $p2 "r" (type $r2))
        (core func (canon resource.drop $r1)) (core func (canon resource.drop $r2))
        (core func (canon resource.drop $h)))"""
    plan = plan_component(decode(wat2wasm(text)))
    used = [step.resource for step in plan.steps if isinstance(step, ResourceBuiltin)]
    defined = [step.resource for step in plan.steps if isinstance(step, DefineResource)]
    assert used == [*defined, plan.host_resources[0].resource]
    assert len(set(used)) == 3
