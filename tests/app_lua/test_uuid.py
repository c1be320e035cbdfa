"""`uuid`: what is made is what Python's `uuid` reads."""

from __future__ import annotations

import time
import uuid
from typing import Any

import pytest

from tests.app_lua.hosts import FakeHost, run
from wippywasm.app.lua_modules.uuid import operations


def go(body: str, *args: object) -> Any:
    host = FakeHost()
    host.operations = dict(operations())
    source = f'local uuid = require("uuid")\nreturn function(...) {body} end'
    return run(source, *args, host=host, modules=frozenset({"uuid"}))


@pytest.mark.parametrize("version", [1, 4, 7])
def test_made_ones_have_their_version_and_differ(version: int) -> None:
    one, other = (uuid.UUID(text) for text in go(f"return {{uuid.v{version}(), uuid.v{version}()}}"))
    assert (one.version, one.variant) == (version, uuid.RFC_4122)
    assert one != other


def test_made_of_names() -> None:
    space = str(uuid.NAMESPACE_URL)
    assert go("local ns, name = ...; return {uuid.v3(ns, name), uuid.v5(ns, name)}", space, "https://example.com/") == [
        str(uuid.uuid3(uuid.NAMESPACE_URL, "https://example.com/")),
        str(uuid.uuid5(uuid.NAMESPACE_URL, "https://example.com/")),
    ]


def test_facts() -> None:
    now = time.time()
    for version in (1, 7):
        facts = go(f"return uuid.parse(uuid.v{version}())")
        assert (facts["version"], facts["variant"]) == (version, "RFC4122")
        assert abs(facts["timestamp"] - now) < 60
    assert "timestamp" not in go("return uuid.parse(uuid.v4())")
    assert go("return uuid.variant('00000000-0000-0000-c000-000000000000')") == "Microsoft"


def test_formats() -> None:
    id = "6ba7b811-9dad-11d1-80b4-00c04fd430c8"
    assert go("local id = ...; return {uuid.format(id), uuid.format(id, 'simple'), uuid.format(id, 'urn')}", id) == [
        id,
        id.replace("-", ""),
        f"urn:uuid:{id}",
    ]


@pytest.mark.parametrize(
    "call",
    ["uuid.parse('x')", "uuid.parse(5)", "uuid.parse()", "uuid.format(uuid.v4(), 'x')", "uuid.v5('x', 'y')",
     "uuid.v5(uuid.v4(), 5)", "uuid.version('00000000-0000-0000-0000-000000000000')"],
)  # fmt: skip
def test_refusals(call: str) -> None:
    assert go(f"local v, err = {call}; return {{v == nil, err:kind()}}") == [True, "INVALID"]


@pytest.mark.parametrize("value", ["'x'", "nil", "{}", "5"])
def test_validate(value: str) -> None:
    assert go("return (uuid.validate(uuid.v4()))") is True
    assert go(f"return (uuid.validate({value}))") is False
