"""The demo's C component: records, lists, strings, errors, traps, and WASI imports that nobody granted."""

from __future__ import annotations

import array
from pathlib import Path
from typing import Any

import pytest

import wippywasm
from wippywasm.errors import PermissionDeniedError, PoisonedError, Trap, ValueMismatchError, WitError

DEMO = Path(__file__).resolve().parents[2] / "examples/demo"
ALICE = {"id": 1, "name": "Alice", "tags": ["admin", "dev"], "active": True}
BOB = {"id": 2, "name": "Bob", "tags": [], "active": False}


def test_its_exports_and_imports_are_known_before_it_runs(engine: str) -> None:
    component = wippywasm.load(DEMO / "wasm/people.wasm", engine=engine)
    assert "transform-users" in component.functions
    assert "demo:people/stats@1.0.0#summarize" in component.functions
    assert any(name.startswith("wasi:cli/stderr@0.2") for name in component.imports)


def test_numbers(people: Any) -> None:
    assert people.call("compute", 6, 7) == 42
    assert people.call("compute", -(2**31), -1) == -(2**31)


def test_records_in_and_out(people: Any) -> None:
    alice, bob = people.call("transform-users", [ALICE, BOB])
    assert alice == {
        "id": 1,
        "display": "Alice (#1)",
        "tags": ["admin", "dev"],
        "tag-count": 2,
        "role": "admin",
        "active": True,
    }
    assert (bob["role"], bob["tags"], bob["active"]) == ("visitor", [], False)
    assert people.call("transform-users", []) == []


def test_a_filter_keeps_what_it_keeps(people: Any) -> None:
    assert people.call("filter-active", [BOB, ALICE, BOB]) == [ALICE]
    assert people.call("filter-active", [BOB]) == []


def test_memory_is_given_back(people: Any) -> None:
    """Were results or arguments leaked, 400 MB would not fit next to each other in 32 bits for long."""
    text = "x" * (1 << 20)
    users = [{**ALICE, "name": text}] * 4
    for _ in range(100):
        assert people.call("filter-active", users)[3]["name"] == text


def test_a_result_is_returned_or_raised(people: Any) -> None:
    assert people.call("try-divide", 42, 6) == 7
    with pytest.raises(WitError) as refused:
        people.call("try-divide", 1, 0)
    assert refused.value.payload == {"dividend": 1, "divisor": 0, "reason": "division by zero"}
    assert people.call("try-divide", -7, 2) == -3


@pytest.mark.parametrize("text", ["", "hello", "grüße, 世界 😀", "\0", "x" * 100_000])
def test_strings_come_back(people: Any, text: str) -> None:
    assert people.call("echo", text) == text


def test_bytes_come_back(people: Any) -> None:
    data = bytes(range(256)) * 100
    for given in (data, bytearray(data), memoryview(data), array.array("B", data)):
        assert people.call("echo-bytes", given) == data


def test_numbers_come_from_sequences_and_buffers(people: Any) -> None:
    values = [-(2**31), -1, 0, 1, 2**31 - 1]
    assert people.call("echo-numbers", values) == values
    assert people.call("echo-numbers", array.array("i", values)) == values
    assert people.call("stats#total", array.array("i", range(100_000))) == sum(range(100_000))


def test_an_exported_interface(people: Any) -> None:
    summary = {"count": 3, "lowest": 1.0, "highest": 4.0, "mean": 2.5}
    assert people.call("demo:people/stats@1.0.0#summarize", [1, 2.5, 4]) == summary
    assert people.call("stats#summarize", []) is None


def test_an_instance_keeps_its_state(people: Any) -> None:
    assert [people.call("count-calls") for _ in range(3)] == [1, 2, 3]


def test_a_trap_has_names_and_ends_the_instance(people: Any) -> None:
    with pytest.raises(Trap) as trap:
        people.call("crash", 2)
    assert trap.value.code == "unreachable"
    names = [frame.function for frame in trap.value.frames]
    assert names[:4] == ["descend", "descend", "descend", "crash"]
    with pytest.raises(PoisonedError):
        people.call("compute", 6, 7)


def test_an_import_nobody_granted_is_refused_by_name(people: Any) -> None:
    with pytest.raises(PermissionDeniedError, match="wasi:cli"):
        people.call("complain", "it is too hot")


def test_a_value_that_does_not_fit_never_reaches_the_guest(people: Any) -> None:
    with pytest.raises(ValueMismatchError) as misfit:
        people.call("transform-users", [ALICE, {**BOB, "tags": 5}])
    assert misfit.value.path == "users[1].tags"
    assert people.call("compute", 6, 7) == 42
