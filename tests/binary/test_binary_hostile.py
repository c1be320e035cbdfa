"""Small files that ask for endless work, deep recursion or much memory get an answer soon."""

from __future__ import annotations

import sys
import time
import tracemalloc
from collections.abc import Callable

import pytest

from tests.binary.peaks import assert_peak
from tools import bombs
from tools.dense import COMPONENT, leb, section
from wippywasm.binary import core_module, decode
from wippywasm.engine import wat2wasm
from wippywasm.errors import BinaryError, ValidationError
from wippywasm.plan import plan_component


def chain(first: str, step: Callable[[int], str], count: int) -> bytes:
    """A component whose every definition refers to the one before."""
    return wat2wasm(f"(component {first} {''.join(step(i) for i in range(count))})")


def doubled_tuples() -> bytes:
    return chain("(type u8)", lambda i: f"(type (tuple {i} {i}))", 90)


def doubled_results_in_use() -> bytes:
    return wat2wasm(
        "(component (type (list u8))"
        + "".join(f"(type (result {i} (error {i})))" for i in range(17))
        + '(import "f" (func (param "a" 17))) (export "g" (func 0)))'
    )


def doubled_bags() -> bytes:
    step = lambda i: f'(instance (export "a" (instance {i})) (export "b" (instance {i})))'  # noqa: E731
    return chain("(instance)", step, 49)


def doubled_resources() -> bytes:
    def step(i: int) -> str:
        return f"""(type (instance (alias outer 1 {i} (type $p))
            (export "a" (instance (type $p))) (export "b" (instance (type $p)))))"""

    return chain('(type (instance (export "r" (type (sub resource)))))', step, 30)


def many_imports_of_a_large_type() -> bytes:
    exports = "".join(f'(export "r{i}" (type (sub resource)))' for i in range(3000))
    imports = "".join(f'(import "i{i}" (instance (type $I)))' for i in range(1000))
    return wat2wasm(f"(component (type $I (instance {exports})) {imports})")


def many_instances_of_a_large_component() -> bytes:
    types = "".join(f'(type $r{i} (resource (rep i32))) (export "r{i}" (type $r{i}))' for i in range(1000))
    return wat2wasm(f"(component (component $c {types}) {'(instance (instantiate $c))' * 2000})")


def many_instances_of_a_large_module() -> bytes:
    functions = "".join(f'(export "f{i}" (func 0))' for i in range(2000))
    return wat2wasm(f"(component (core module $m (func) {functions}) {'(core instance (instantiate $m))' * 5000})")


@pytest.mark.parametrize(
    "make",
    [
        doubled_tuples,
        doubled_results_in_use,
        doubled_bags,
        doubled_resources,
        many_imports_of_a_large_type,
        many_instances_of_a_large_component,
        many_instances_of_a_large_module,
    ],
)
def test_the_answer_comes_soon(make: Callable[[], bytes]) -> None:
    wasm = make()
    started = time.thread_time()
    try:
        decode(wasm)
    except ValidationError as error:
        assert "too large" in error.message  # noqa: PT017 - being accepted is fine too
    assert time.thread_time() - started < 5  # of the processor, far more than it takes


def imports_of_doubled(levels: int, count: int) -> bytes:
    return wat2wasm(bombs.imported(bombs.RESOURCE, count, levels))


def instantiations_with_doubled(levels: int, count: int) -> bytes:
    inner = f"""(component $c (alias outer 1 $i{levels - 1} (type $q)) (import "x" (instance $x (type $q)))
        (export "y" (instance $x))) (import "z" (instance $z (type $i{levels - 1})))"""
    instances = '(instance (instantiate $c (with "x" (instance $z))))' * count
    return wat2wasm(bombs.component(bombs.types(levels, bombs.RESOURCE), inner, instances))


@pytest.mark.parametrize("make", [imports_of_doubled, instantiations_with_doubled])
@pytest.mark.parametrize("levels", [9, 12, 15])
@pytest.mark.parametrize("count", [1, 20])
def test_small_files_take_little_memory(make: Callable[[int, int], bytes], levels: int, count: int) -> None:
    wasm = make(levels, count)

    def run() -> None:
        try:
            decode(wasm)
        except ValidationError as error:
            assert error.message.startswith("the definitions are too many")  # noqa: PT017 - being accepted is fine too

    assert_peak(run, (4 << 20) + 64 * len(wasm))


def of_resources(count: int, instances: int) -> bytes:
    types = "".join(f'(type $r{i} (resource (rep i32))) (export "r{i}" (type $r{i}))' for i in range(count))
    return wat2wasm(f"(component (component $c {types}) {'(instance (instantiate $c))' * instances})")


@pytest.mark.parametrize(
    "wasm",
    [
        instantiations_with_doubled(7, 12),
        of_resources(512, 4),
        of_resources(10, 150),
        COMPONENT + section(7, leb(2_500) + b"\x41\0" * 2_500),
        COMPONENT + section(7, leb(1) + b"\x3f\x7f\0") + section(8, leb(4_000) + b"\3\0" * 4_000),
        COMPONENT + section(0, b"\0") * 5_000,
    ],
    ids=["doubled resources", "resources", "instances", "component types", "built-ins", "custom sections"],
)
def test_a_small_file_may_ask_for_more_than_any_has(wasm: bytes) -> None:
    plan_component(decode(wasm))


def test_nested_components() -> None:
    wasm = COMPONENT
    for _ in range(2000):
        wasm = COMPONENT + section(4, wasm)
    with pytest.raises(ValidationError, match="nested too deeply"):
        decode(wasm)


def test_nested_component_types() -> None:
    with pytest.raises(ValidationError, match="nested too deeply"):
        decode(COMPONENT + section(7, b"\x01" + b"\x41\x01\x01" * 5000 + b"\x73"))


def test_nested_value_types() -> None:
    with pytest.raises(ValidationError, match="too deep"):
        decode(chain("(type u8)", lambda i: f"(type (option {i}))", 300))


def deepest_allowed() -> bytes:
    """Values of the greatest depth within instances of the greatest depth."""
    options = "".join(f"(type (option {i}))" for i in range(98))
    instances = "".join(f'(instance (export "a" (instance {i})))' for i in range(97))
    return wat2wasm(
        f"""(component (type u8) {options} (import "f" (func $f (param "x" 98)))
            (instance (export "f" (func $f))) {instances}
            (component $c (import "x" (instance $x)) (export "y" (instance $x)))
            (instance (instantiate $c (with "x" (instance 97)))) (export "z" (instance 97)))"""
    )


def test_the_deepest_types_fit_on_the_stack() -> None:
    decode(deepest_allowed())


def test_a_caller_that_is_deep_itself_gets_our_error() -> None:
    wasm = deepest_allowed()
    room = sys.getrecursionlimit()

    def descend(left: int) -> None:
        if left:
            descend(left - 1)
        else:
            decode(wasm)

    for depth in range(room - 400, 100, -25):
        try:
            descend(depth)
        except (RecursionError, BinaryError):
            continue
        return
    pytest.fail("never decoded")


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 6, 7, 8, 10, 11])
def test_huge_counts_allocate_nothing(number: int) -> None:
    wasm = COMPONENT + section(number, leb(2**32 - 1) + b"\0" * 8)
    tracemalloc.start()
    try:
        with pytest.raises(BinaryError):
            decode(wasm)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_references_to_types_do_not_multiply_memory() -> None:
    params = b"\x63\x00" * 900
    types = b"\x60\x00\x00" + (b"\x60" + leb(900) + params + b"\x00") * 100
    wasm = b"\0asm\1\0\0\0" + section(1, leb(101) + types)
    tracemalloc.start()
    core_module.parse(wasm)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * len(wasm)
