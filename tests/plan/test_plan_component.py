"""Plans of components: what the walk over nested scopes leaves over, as text; and its bounds."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from wippywasm.binary import decode
from wippywasm.engine import wat2wasm
from wippywasm.errors import ValidationError
from wippywasm.instance.functions import exported_functions
from wippywasm.plan import dump, growth, plan_component
from wippywasm.plan.items import PlanInstance
from wippywasm.plan.steps import InstantiateModule, LowerFunc, NewComponentInstance

GOLDENS = Path(__file__).parent / "goldens"
BLESS = bool(os.environ.get("WIPPYWASM_BLESS"))


@pytest.mark.parametrize("path", sorted(GOLDENS.glob("*.wat")), ids=lambda p: p.stem)
def test_goldens(path: Path) -> None:
    """`WIPPYWASM_BLESS=1` writes what the planner says now."""
    text = dump(plan_component(decode(wat2wasm(path.read_text()))))
    golden = path.with_suffix(".plan")
    if BLESS:
        golden.write_text(text)
    assert golden.read_text() == text


def test_there_are_goldens() -> None:
    assert len(list(GOLDENS.glob("*.wat"))) >= 4


def nested_doubling(levels: int) -> bytes:
    text = "(component $c0 (core module $m) (core instance (instantiate $m)))"
    for i in range(1, levels + 1):
        text = f"(component $c{i} {text} (instance (instantiate $c{i - 1})) (instance (instantiate $c{i - 1})))"
    return wat2wasm(text)


def test_a_component_that_unfolds_exponentially_is_refused() -> None:
    assert sum(isinstance(s, InstantiateModule) for s in plan_component(decode(nested_doubling(5))).steps) == 32
    with pytest.raises(ValidationError, match=r"unfolds to more than 8\d\d\d parts beyond"):
        plan_component(decode(nested_doubling(40)))


INSTANCE = '(export "a" (instance (type $t))) (export "b" (instance (type $t)))'


def test_imports_and_exports_that_unfold_exponentially_are_refused() -> None:
    types = ['(type $t0 (instance (export "f" (func))))']
    types += [f"(type $t{i} (instance (alias outer 1 $t{i - 1} (type $t)) {INSTANCE}))" for i in range(1, 17)]
    with pytest.raises(ValidationError, match="unfolds to more than"):
        plan_component(decode(wat2wasm(f'(component {" ".join(types)} (import "x" (instance (type $t16))))')))
    made = ['(import "f" (func $f)) (instance $i0 (export "f" (func $f)))']
    made += [
        f'(instance $i{i} (export "a" (instance $i{i - 1})) (export "b" (instance $i{i - 1})))' for i in range(1, 18)
    ]
    with pytest.raises(ValidationError, match="unfolds to more than"):
        plan_component(decode(wat2wasm(f'(component {" ".join(made)} (export "x" (instance $i17)))')))


def composed(instances: int, interfaces: int, functions: int) -> str:
    """Many instances of one component, each with all the imports."""
    named = [f"vendor:package/interface-{i}@1.2.3" for i in range(interfaces)]
    each = "".join(f'(export "get-property-{i}" (func (param "at" u32) (result u32)))' for i in range(functions))
    imports = "".join(f'(import "{name}" (instance $i{i} {each}))' for i, name in enumerate(named))
    lowered = "".join(
        f'(core func (canon lower (func $i{i} "get-property-{k}")))'
        for i in range(interfaces)
        for k in range(functions)
    )
    given = "".join(f'(with "{name}" (instance $i{i}))' for i, name in enumerate(named))
    made = "".join(f"(instance (instantiate $c {given}))" for _ in range(instances))
    return f"(component {imports} (component $c {imports} {lowered}) {made})"


def test_some_dozen_instances_of_one_component_are_no_unfolding() -> None:
    plan = plan_component(decode(wat2wasm(composed(30, 20, 10))))
    assert sum(isinstance(step, LowerFunc) for step in plan.steps) == 30 * 20 * 10


def test_what_is_written_in_a_file_is_no_unfolding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "BEYOND", 0)
    imports = "".join(f'(import "import-{i}" (func))' for i in range(2_000))
    exports = "".join(f'(export "export-{i}" (func {i}))' for i in range(2_000))
    resources = "(type (resource (rep i32)))" * 2_000
    plan = plan_component(decode(wat2wasm(f"(component {imports}{exports}{resources})")))
    assert len(plan.host_functions) == len(plan.exports) == 2_000


FIELDS = "".join(f'(field "x{i}" u8)' for i in range(2_000))
NAMES = [f"n{i}" for i in range(1_000)]
MODULES = f"""
    (core module $a {"".join(f'(func (export "{n}"))' for n in NAMES)}) (core instance $a (instantiate $a))
    (core module $b {"".join(f'(import "a" "{n}" (func))' for n in NAMES)})"""
USED_AGAIN = {
    "types with resources": f"""(component $c
        (import "r" (type $r (sub resource))) (type (record (field "r" (own $r)) {FIELDS})))
        (import "r" (type $r (sub resource))) {'(instance (instantiate $c (with "r" (type $r))))' * 400}""",
    "arguments of modules": f"{MODULES} {'(core instance (instantiate $b (with (instance $a))))' * 25}".replace(
        "with (", 'with "a" ('
    ),
    "modules of components": f"""(component $c {MODULES} (core instance (instantiate $b (with "a" (instance $a)))))
        {"(instance (instantiate $c))" * 200}""",
    "lists of exports": f"""(component $c (core module $a (func (export "f")))
        (core instance $a (instantiate $a)) (alias core export $a "f" (core func $f))
        (core instance {"".join(f'(export "{n}" (func $f))' for n in NAMES)})) {"(instance (instantiate $c))" * 200}""",
    "long names": f"""(import "f" (func $f)) (instance $i {"".join(f'(export "{n}" (func $f))' for n in NAMES)})
        (export "{"x" * 50_000}" (instance $i))""",
}


@pytest.mark.parametrize("text", USED_AGAIN.values(), ids=USED_AGAIN.keys())
def test_what_is_used_again_and_again_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="unfolds to more than"):
        plan_component(decode(wat2wasm(f"(component {text})")))


def test_types_without_resources_are_taken_as_they_are() -> None:
    text = f"""(component $c (type (record {FIELDS})) (export "t" (type 0))) {"(instance (instantiate $c))" * 500}"""
    decoded = decode(wat2wasm(f"(component {text})"))
    started = time.thread_time()
    plan_component(decoded)
    assert time.thread_time() - started < 0.5  # of the processor; exchanging every field takes three seconds


def test_exports_of_one_instance_are_compared_with_its_type_once() -> None:
    text = """(component
        (type $t0 (instance (export "f" (func))))
        (type $t1 (instance (alias outer 1 $t0 (type $t))
            (export "a" (instance (type $t))) (export "b" (instance (type $t)))))
        (import "f" (func $f))
        (instance $i0 (export "f" (func $f)) (export "more" (func $f)))
        (instance $i1 (export "a" (instance $i0)) (export "b" (instance $i0)))
        (export "x" (instance $i1) (instance (type $t1))))"""
    outer = plan_component(decode(wat2wasm(text))).exports["x"]
    assert isinstance(outer, PlanInstance)
    inner = outer.exports["a"]
    assert isinstance(inner, PlanInstance)
    assert list(inner.exports) == ["f"]
    assert outer.exports["b"] is inner  # else, there would be as many as there are paths


def chain(length: int) -> bytes:
    """Siblings, each of which instantiates the one before."""
    lines = ["(component $c0)"]
    lines += [f"(component $c{i} (instance (instantiate $c{i - 1})))" for i in range(1, length)]
    return wat2wasm(f"(component {' '.join(lines)} (instance (instantiate $c{length - 1})))")


def test_instances_within_instances_are_bounded_in_depth() -> None:
    steps = plan_component(decode(chain(100))).steps
    assert [type(s) for s in steps] == [NewComponentInstance] * 101
    with pytest.raises(ValidationError, match="nest deeper"):
        plan_component(decode(chain(101)))


def test_one_module_is_kept_once_however_often_it_is_instantiated() -> None:
    plan = plan_component(decode(nested_doubling(4)))
    assert len(plan.modules) == 1


def test_lowering_names_the_instance_that_calls() -> None:
    text = (GOLDENS / "virtualized.wat").read_text()
    plan = plan_component(decode(wat2wasm(text)))
    lowered = [s for s in plan.steps if isinstance(s, LowerFunc)]
    assert {s.instance for s in lowered} == {1, 2}


def test_imports_are_those_that_something_must_be_given_for() -> None:
    people = Path(__file__).parents[2] / "examples" / "demo" / "wasm" / "people.wasm"
    plan = plan_component(decode(people.read_bytes()))
    assert plan.imports == (
        "wasi:io/error@0.2.12",
        "wasi:io/streams@0.2.12",
        "wasi:cli/stdin@0.2.12",
        "wasi:cli/stdout@0.2.12",
        "wasi:cli/stderr@0.2.12",
        "wasi:filesystem/types@0.2.12",
        "wasi:filesystem/preopens@0.2.12",
    )


def test_an_export_has_only_what_its_ascribed_type_speaks_of() -> None:
    text = """(component
          (core module $m (func (export "f")))
          (core instance $i (instantiate $m))
          (func $f (canon lift (core func $i "f")))
          (instance $inner (export "f" (func $f)) (export "g" (func $f)))
          (instance $outer (export "in" (instance $inner)))
          (export "all" (instance $inner))
          (export "some" (instance $outer) (instance (export "in" (instance (export "g" (func)))))))"""
    assert list(exported_functions(plan_component(decode(wat2wasm(text))))) == ["all#f", "all#g", "some#in#g"]
