"""Policies for tests, made in place."""

from __future__ import annotations

from typing import Any

from wippywasm.app.security.conditions import Condition
from wippywasm.app.security.globs import Glob
from wippywasm.app.security.operators import PATTERN
from wippywasm.app.security.policy import Policy, Verdict
from wippywasm.app.security.regex import Regex
from wippywasm.app.security.request import FieldPath


def path(text: str) -> FieldPath:
    found = FieldPath.parse(text)
    assert found is not None
    return found


def condition(field: str, operator: str, value: Any = None, value_from: str | None = None) -> Condition:
    if operator in PATTERN:
        value = Regex(value)
    return Condition(path(field), operator, value, None if value_from is None else path(value_from))


def policy(id: str, *conditions: Condition, actions: str = "*", resources: str = "*", effect: str = "allow") -> Policy:
    return Policy(id, (Glob(actions),), (Glob(resources),), Verdict(effect), conditions)


ALL = policy("t:all")
NOTHING = policy("t:nothing", effect="deny")
