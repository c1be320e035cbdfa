"""Expressions of `security.policy.expr`: what holds, what is none, what can't be decided. Spec: SPEC section 10."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.security.conftest import LoadApp
from wippywasm import App
from wippywasm.app.context import Actor, Context, entered
from wippywasm.app.security.expressions import Expression, ExpressionError
from wippywasm.app.security.operators import UndecidableError
from wippywasm.app.security.request import Request
from wippywasm.errors import DefinitionError

ASKED = Request(
    Actor("ann", {"role": "editor", "level": 3, "teams": ["a", "b"], "active": True, "quote": 'x"y'}),
    "doc.write",
    "doc:7",
    {"owner": "ann", "size": 10, "public": False, "tags": {"lang": "de"}},
)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("true", True),
        ("false", False),
        ("actor.id == meta.owner", True),
        ("actor.id != meta.owner", False),
        ("actor.meta.role == 'editor' && action == \"doc.write\"", True),
        ("actor.meta.role == 'viewer' || meta.size < 11", True),
        ("actor.meta.role == 'viewer' or meta.size < 10", False),
        ("!(meta.size >= 10) or not meta.public", True),
        ("!!meta.public", False),
        ("not not actor.meta.active and true", True),
        ("meta.size == 10.0 && meta.size == '10'", True),
        ("meta.size > -1 && meta.size <= 10", True),
        ("action in ['doc.read', 'doc.write']", True),
        ('action not in ["doc.read"]', True),
        ("'a' in actor.meta.teams", True),
        ("actor.meta.teams contains 'c'", False),
        ("resource startsWith 'doc:' and resource endsWith '7'", True),
        ("resource matches '^doc:[0-9]+$'", True),
        ("meta.tags.lang == 'de'", True),
        ('actor.meta.quote == \'x"y\' && actor.meta.quote == "x\\"y"', True),
        ("meta.none == nil", True),
        ("meta.none != nil || actor.id == nil", False),
        ("meta.none == 'x'", False),
        ("meta.none != 'x'", True),
        ("false && meta.none > 1", False),
        ("true || meta.none > 1", True),
        ("[1, 2] == [1, 2]", True),
        ("1 in []", False),
        ("((((actor.id))))=='ann'", True),
        (" || ".join(["action == 'x'"] * 200 + ["true"]), True),
        ("!" * 4000 + "true", True),
    ],
)
def test_what_holds(text: str, holds: bool) -> None:
    assert Expression.parse(text).holds(ASKED) is holds


UNDECIDED = [
    "meta.none > 1",
    "meta.none == meta.other",
    "actor.id",
    "meta.size && true",
    "actor.id < 5",
    "meta.size matches 'x'",
    "resource startsWith 1",
    "action in meta.none",
    "!meta.none",
]


@pytest.mark.parametrize("text", UNDECIDED)
def test_what_can_not_be_decided(text: str) -> None:
    with pytest.raises(UndecidableError):
        Expression.parse(text).holds(ASKED)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected a value or a field"),
        ("actor.name == 'x'", "expected a value or a field: 'action', 'actor.id'"),
        ("user.id == 1", "at character 1"),
        ("action == 'x", 'expected no "\'", at character 11'),
        ("action = 'x'", "expected no '='"),
        ("(action == 'x'", "expected ')'"),
        ("action == 'x')", "expected the end, or an operator, at character 14"),
        ("action in ['a' 'b']", "expected ',' or ']'"),
        ("action not 'x'", "expected 'in'"),
        ("action matches meta.x", "a pattern is a text"),
        ("action matches '('", "not a pattern"),
        ("a" * 5000, "at most 4096 characters"),
        ("(" * 60 + "true" + ")" * 60, "nested deeper than 50"),
        ("action == ", "expected a value"),
    ],
)
def test_what_is_no_expression(text: str, words: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        Expression.parse(text)
    assert words in str(caught.value)


PARTS = [
    "actor.id",
    "meta.x",
    "action",
    "'a'",
    "1",
    "(",
    ")",
    "[",
    "]",
    ",",
    "==",
    "in",
    "not",
    "!",
    "&&",
    "||",
    "matches",
    "nil",
    "\\",
    '"',
]


@given(st.lists(st.sampled_from(PARTS), max_size=12).map(" ".join) | st.text(max_size=40))
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    try:
        Expression.parse(text).holds(ASKED)
    except (ExpressionError, UndecidableError):
        return


APP = """
- name: editors
  kind: security.policy.expr
  groups: [all]
  policy:
    actions: [funcs.call, read, write]
    resources: "*"
    effect: allow
    expression: |
      action == "funcs.call" ||
      (actor.meta.role == "editor" && action == "write") || (action == "read" && meta.public == true)
- name: never_late
  kind: security.policy.expr
  groups: [all]
  policy: {actions: write, resources: "*", effect: deny, expression: "meta.hour > 20"}
- name: can
  kind: function.lua
  method: main
  modules: [security]
  source: |
    local security = require("security")
    return {main = function(action, facts) return security.can(action, "doc:1", facts) end}
"""


def test_policies_hang_on_them(load_app: LoadApp) -> None:
    async def go(app: App) -> list[Any]:
        async with app:
            told = []
            for role in ("editor", "viewer"):
                with entered(Context(Actor("u", {"role": role}), app.policies.group("t:all"))):
                    told += [
                        await app.call("t:can", "write", {"hour": 9}),
                        await app.call("t:can", "write", {"hour": 21}),
                    ]
                    told += [await app.call("t:can", "write", {}), await app.call("t:can", "read", {"public": True})]
                    told += [await app.call("t:can", "read", {})]
            return told

    editor, viewer = [True, False, False, True, False], [False, False, False, True, False]
    assert asyncio.run(go(load_app(APP))) == editor + viewer


def test_a_mistake_is_told_when_the_app_is_checked(load_app: LoadApp) -> None:
    with pytest.raises(DefinitionError, match=r"policy.expression': not an expression: .*at character 1"):
        load_app(APP.replace('"meta.hour > 20"', '"hour > 20"'))
