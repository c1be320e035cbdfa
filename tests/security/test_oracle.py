"""The engine against a simple evaluator that is written in other words."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.security.policies import condition
from wippywasm.app.context import Actor
from wippywasm.app.security import Policy, Scope, Verdict
from wippywasm.app.security.globs import Glob
from wippywasm.app.security.operators import OPERATORS
from wippywasm.app.security.request import Request

FIELDS = ("actor.id", "actor.meta.a", "actor.meta.b.c", "action", "resource", "meta.a", "meta.gone")
SCALARS = st.sampled_from(["a", "ab", "1", "1.0", "", 0, 1, 1.0, 2, True, False])
LISTS = st.lists(SCALARS, max_size=3).map(tuple)
VALUES = st.one_of(SCALARS, LISTS)
PATTERNS = st.sampled_from(["^a", "b$", "[0-9]", "a|1", ".*"])
WORDS = st.text("ab:.*", max_size=4)


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    operator = draw(st.sampled_from(sorted(OPERATORS)))
    found: dict[str, Any] = {"field": draw(st.sampled_from(FIELDS)), "operator": operator}
    if operator in ("exists", "nexists"):
        return {**found, "value": draw(st.sampled_from([None, True, False]))}
    if operator in ("matches", "nmatches"):
        return {**found, "value": draw(PATTERNS)}
    if draw(st.booleans()):
        return {**found, "value_from": draw(st.sampled_from(FIELDS))}
    return {**found, "value": draw(VALUES)}


POLICIES = st.fixed_dictionaries(
    {
        "actions": st.lists(WORDS, min_size=1, max_size=2),
        "resources": st.lists(WORDS, min_size=1, max_size=2),
        "effect": st.sampled_from(["allow", "deny"]),
        "conditions": st.lists(conditions(), max_size=2),
    }
)
METAS = st.fixed_dictionaries({}, optional={"a": VALUES, "b": st.fixed_dictionaries({}, optional={"c": VALUES})})


@given(st.lists(POLICIES, max_size=4), st.text("ab", max_size=3), METAS, WORDS, WORDS, METAS)
def test_what_policies_say_together(
    policies: list[dict[str, Any]], id: str, actor: Any, action: str, resource: str, meta: Any
) -> None:
    made = [
        Policy(
            f"t:{number}",
            tuple(map(Glob, policy["actions"])),
            tuple(map(Glob, policy["resources"])),
            Verdict(policy["effect"]),
            tuple(condition(**c) for c in policy["conditions"]),
        )
        for number, policy in enumerate(policies)
    ]
    decision = Scope(made).evaluate(Request(Actor(id, actor), action, resource, meta))
    asked = {"actor": {"id": id, "meta": actor}, "action": action, "resource": resource, "meta": meta}
    assert decision.verdict.value == expected(policies, asked)


def expected(policies: list[dict[str, Any]], asked: dict[str, Any]) -> str:
    said = {p["effect"] for p in policies if applies(p, asked)}
    return "deny" if "deny" in said else "allow" if said else "undefined"


def applies(policy: dict[str, Any], asked: dict[str, Any]) -> bool:
    for name in ("action", "resource"):
        patterns = (".*".join(map(re.escape, p.split("*"))) for p in policy[f"{name}s"])
        if not any(re.fullmatch(p, asked[name], re.DOTALL) for p in patterns):
            return False
    for one in policy["conditions"]:
        holds = says(one, asked)
        if holds is None:
            return bool(policy["effect"] == "deny")
        if not holds:
            return False
    return True


def look(path: str, asked: Any) -> Any:
    for key in path.split("."):
        asked = asked.get(key) if isinstance(asked, dict) else None
    return asked


def says(one: dict[str, Any], asked: dict[str, Any]) -> bool | None:
    """Whether a condition holds; None where it can't be told."""
    operator, left = one["operator"], look(one["field"], asked)
    right = look(one["value_from"], asked) if "value_from" in one else one["value"]
    if operator.endswith("exists"):
        is_there = left is not None
        return bool((is_there == (right is not False)) != (operator == "nexists"))
    if left is None:
        return False
    for positive in ("in", "contains", "matches"):
        if operator == f"n{positive}":
            holds = says({**one, "operator": positive}, asked)
            return None if holds is None else not holds
    match operator:
        case "eq":
            return same(left, right)
        case "ne":
            return not same(left, right)
        case "in":
            if isinstance(right, tuple):
                return any(same(left, item) for item in right)
            return None if right is None else same(left, right)
        case "contains":
            if isinstance(left, tuple):
                return any(same(item, right) for item in left)
            return right in left if isinstance(left, str) and isinstance(right, str) else None
        case "matches":
            return re.search(right, left) is not None if isinstance(left, str) else None
    one_number, other = as_number(left), as_number(right)
    if one_number is None or other is None:
        return None
    return {
        "lt": one_number < other,
        "gt": one_number > other,
        "lte": one_number <= other,
        "gte": one_number >= other,
    }[operator]


def as_number(value: Any) -> float | None:
    if isinstance(value, str):
        return float(value) if re.fullmatch(r"[0-9.]+", value) else None
    return None if isinstance(value, bool | tuple) or value is None else float(value)


def same(left: Any, right: Any) -> bool:
    if isinstance(left, bool) != isinstance(right, bool):
        return False  # no text here is `true`
    numbers = [isinstance(v, int | float) and not isinstance(v, bool) for v in (left, right)]
    if any(numbers):
        return as_number(left) is not None and as_number(left) == as_number(right)
    if isinstance(left, tuple) and isinstance(right, tuple):
        return left == right
    return bool(left == right)
