"""Every operator of a condition, on values that are there, missing, and of the wrong kind."""

from __future__ import annotations

from typing import Any

import pytest

from tests.security.policies import condition, policy
from wippywasm.app.context import Actor
from wippywasm.app.security.operators import OPERATORS, UndecidableError
from wippywasm.app.security.policy import Verdict
from wippywasm.app.security.request import FieldPath, Request

REQUEST = Request(
    Actor("user:1", {"role": "admin", "clearance": 3, "team": {"name": "core"}, "tags": ["a", "b"], "on": True}),
    "document.read",
    "document:7",
    {"owner": "user:1", "size": 10, "status": "draft", "level": "12", "none": None},
)


@pytest.mark.parametrize(
    ("field", "operator", "value", "holds"),
    [
        ("actor.id", "eq", "user:1", True),
        ("actor.meta.team.name", "eq", "core", True),
        ("actor.meta.team.name.first", "exists", True, False),
        ("action", "eq", "document.read", True),
        ("resource", "ne", "document:8", True),
        ("resource", "ne", "document:7", False),
        ("meta.size", "eq", 10.0, True),
        ("meta.size", "eq", "10", True),
        ("meta.level", "eq", "12.0", False),
        ("meta.level", "eq", 12, True),
        ("actor.meta.on", "eq", True, True),
        ("actor.meta.on", "eq", 1, False),
        ("actor.meta.tags", "eq", ("a", "b"), True),
        ("actor.meta.clearance", "lt", 3, False),
        ("actor.meta.clearance", "lte", 3, True),
        ("actor.meta.clearance", "gt", 2.5, True),
        ("actor.meta.clearance", "gte", "4", False),
        ("actor.meta.role", "in", ("admin", "editor"), True),
        ("actor.meta.clearance", "in", ("3",), True),
        ("actor.meta.role", "nin", ("admin",), False),
        ("meta.owner", "exists", None, True),
        ("meta.owner", "exists", False, False),
        ("meta.none", "exists", True, False),
        ("meta.gone", "nexists", True, True),
        ("meta.gone", "nexists", False, False),
        ("meta.owner", "nexists", None, False),
        ("resource", "contains", "ment:", True),
        ("actor.meta.tags", "contains", "b", True),
        ("actor.meta.tags", "ncontains", "b", False),
        ("resource", "ncontains", "public", True),
        ("resource", "matches", "^doc.*:[0-9]$", True),
        ("actor.id", "nmatches", "^system:", True),
    ],
)
def test_what_holds(field: str, operator: str, value: Any, holds: bool) -> None:
    assert condition(field, operator, value).holds(REQUEST) is holds


@pytest.mark.parametrize("operator", sorted(set(OPERATORS) - {"exists", "nexists"}))
def test_nothing_holds_of_what_is_missing(operator: str) -> None:
    value = "x" if "match" in operator else ("x",)
    assert condition("meta.gone", operator, value).holds(REQUEST) is False


def test_a_value_may_come_from_another_field() -> None:
    assert condition("meta.owner", "eq", value_from="actor.id").holds(REQUEST)
    assert not condition("meta.owner", "eq", value_from="actor.meta.gone").holds(REQUEST)
    assert condition("meta.owner", "ne", value_from="actor.meta.gone").holds(REQUEST)
    assert condition("actor.meta.role", "nin", value_from="actor.meta.tags").holds(REQUEST)


UNDECIDABLE = [
    condition("meta.status", "lt", 3),
    condition("meta.size", "gte", value_from="actor.meta.gone"),
    condition("meta.size", "contains", "1"),
    condition("meta.size", "in", value_from="actor.meta.gone"),
    condition("meta.size", "matches", "1"),
]


@pytest.mark.parametrize("undecidable", UNDECIDABLE, ids=lambda c: c.operator)
def test_what_cannot_be_decided_is_never_for_the_actor(undecidable: Any) -> None:
    with pytest.raises(UndecidableError):
        undecidable.holds(REQUEST)
    assert policy("t:allow", undecidable).evaluate(REQUEST) is Verdict.UNDEFINED
    assert policy("t:deny", undecidable, effect="deny").evaluate(REQUEST) is Verdict.DENY


def test_a_text_too_long_for_a_pattern_is_refused_either_way() -> None:
    long = Request(REQUEST.actor, "read", "x" * 5000)
    for operator in ("matches", "nmatches"):
        assert policy("t:allow", condition("resource", operator, "^x")).evaluate(long) is Verdict.UNDEFINED
        assert policy("t:deny", condition("resource", operator, "^x"), effect="deny").evaluate(long) is Verdict.DENY


@pytest.mark.parametrize("text", ["", "actor", "actor.name", "user.id", "meta..x", "action.x", "actor.id.x", "meta."])
def test_there_are_no_other_fields(text: str) -> None:
    assert FieldPath.parse(text) is None
