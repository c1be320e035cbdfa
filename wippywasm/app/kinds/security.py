"""Policies, and the identity that the code of an entry acts with. Spec: SPEC sections 2 and 10."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wippywasm.app.definition.node import Node
from wippywasm.app.schema.kind import Kind
from wippywasm.app.schema.scope import Scope
from wippywasm.app.schema.types import Anything, Choice, Field, ListOf, Ref, Struct, Text, refuse, required
from wippywasm.app.security.expressions import Expression, ExpressionError
from wippywasm.app.security.operators import LISTS, OPERATORS, ORDERS, PATTERN, PRESENCE, number
from wippywasm.app.security.regex import Regex, RegexSyntaxError
from wippywasm.app.security.request import FIELDS, FieldPath
from wippywasm.app.suggest import listing
from wippywasm.dataclass import dataclass


@dataclass(frozen=True)
class Patterns:
    """One pattern, or a list of some; gives a tuple."""

    words: str = "a pattern such as 'funcs.*', or a list of some"

    def check(self, node: Node, scope: Scope) -> tuple[Any, ...] | None:
        if isinstance(node.value, str):
            return (Text().check(node, scope),)
        if isinstance(node.value, tuple) and node.value:
            return ListOf(Text(words="a pattern")).check(node, scope)
        refuse(node, scope, self.words)
        return None


@dataclass(frozen=True)
class Group:
    """The name of a group of policies; without `:` one of the entry's own namespace. Gives the full id."""

    words: str = "the name of a group of policies"

    def check(self, node: Node, scope: Scope) -> str | None:
        name = Text(words=self.words).check(node, scope)
        return None if name is None else scope.resolve(name)


def _field(path: str) -> str | None:
    if FieldPath.parse(path) is not None:
        return None
    return f"there is no field '{path}': the fields are {listing(FIELDS)}"


_FIELD = Text(words="a field such as actor.id or meta.owner", rule=_field)
_CONDITION = Struct(
    {
        "field": required(_FIELD),
        "operator": required(Choice(tuple(OPERATORS))),
        "value": Field(Anything()),
        "value_from": Field(_FIELD),
    },
    words="a condition such as {field: actor.meta.role, operator: eq, value: admin}",
)


@dataclass(frozen=True)
class ConditionType:
    """A condition whose value is one that its operator can compare with."""

    words: str = _CONDITION.words

    def check(self, node: Node, scope: Scope) -> Mapping[str, Any] | None:
        data = _CONDITION.check(node, scope)
        if data is None or data.get("operator") is None:
            return data
        complaint = _complaint(data, data["operator"])
        if complaint is not None:
            place = "value" if "value" in data else "value_from" if "value_from" in data else "operator"
            scope.child(place, node.mapping[place]).problem(complaint)
        return data


def _complaint(data: Mapping[str, Any], operator: str) -> str | None:
    """What is wrong with what a condition compares with."""
    if "value" in data and "value_from" in data:
        return "a condition has 'value' or 'value_from', not both"
    if "value_from" in data:
        fixed = operator in (*PATTERN, *PRESENCE)
        return f"'{operator}' takes a 'value', not a 'value_from'" if fixed else None
    if operator in PRESENCE:
        return None if isinstance(data.get("value", True), bool) else f"'{operator}' compares with true or false"
    value = data.get("value")
    if value is None:
        return f"'{operator}' needs a 'value' or a 'value_from'; 'nexists' is for what is not there"
    return _unfit(value, operator)


def _unfit(value: Any, operator: str) -> str | None:
    if operator in LISTS and not isinstance(value, tuple):
        return f"'{operator}' needs a list"
    if operator in ORDERS and number(value) is None:
        return f"'{operator}' compares numbers"
    return _bad_pattern(value) if operator in PATTERN else None


def _bad_pattern(value: Any) -> str | None:
    if not isinstance(value, str):
        return "a pattern is a text"
    try:
        Regex(value)
    except RegexSyntaxError as error:
        return f"not a pattern: {error}"
    return None


def _bad_expression(text: str) -> str | None:
    try:
        Expression.parse(text)
    except ExpressionError as error:
        return f"not an expression: {error}"
    return None


_EXPRESSION = Text(words="an expression such as 'actor.id == meta.owner'", rule=_bad_expression)
_SUBJECT = {
    "actions": required(Patterns()),
    "resources": required(Patterns("a pattern such as 'app.api:*', or a list of some")),
    "effect": required(Choice(("allow", "deny"))),
}
_POLICY = Struct({**_SUBJECT, "conditions": Field(ListOf(ConditionType()))})
_EXPRESSED = Struct({**_SUBJECT, "expression": required(_EXPRESSION)})
_GROUPS = Field(ListOf(Group()))
_META = Struct({}, is_open=True, words="a mapping of what is known of the actor")

IDENTITY = Field(
    Struct(
        {
            "actor": Field(Struct({"id": required(Text()), "meta": Field(_META)})),
            "policies": Field(ListOf(Ref(("security.policy", "security.policy.expr")))),
            "groups": _GROUPS,
        },
        words="a mapping such as {actor: {id: worker}, policies: [worker_policy]}",
    )
)
"""`security` of a function, `lifecycle.security` of a service: whom its code acts as."""

SECURITY_KINDS = (
    Kind("security.policy", {"policy": required(_POLICY), "groups": _GROUPS}),
    Kind("security.policy.expr", {"policy": required(_EXPRESSED), "groups": _GROUPS}),
)
