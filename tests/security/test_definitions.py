"""What is said of broken policies, identities and rules of networks: everything at once, each at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from wippywasm import App
from wippywasm.errors import DefinitionError

BROKEN = """namespace: t
entries:
  - name: p
    kind: security.policy
    policy:
      actions: []
      resource: "*"
      effect: permit
      conditions:
        - {field: actor.name, operator: eq, value: x}
        - {field: actor.id, operator: equals, value: x}
        - {field: actor.id, operator: matches, value: "(a"}
        - {field: actor.id, operator: matches, value_from: actor.meta.x}
        - {field: actor.id, operator: in, value: x}
        - {field: actor.id, operator: lt, value: x}
        - {field: actor.id, operator: eq}
        - {field: actor.id, operator: eq, value: x, value_from: action}
        - {field: actor.id, operator: exists, value: 3}
    groups: [users]
  - name: f
    kind: function.wat
    source: (module (func (export "f")))
    wit: "f: func();"
    method: f
    security: {actor: {name: x}, policies: [q], groups: [user]}
    network: {allow: ["example.com"], listen: ["example.com:80"]}
"""
SAID = {
    "policy.actions": "expected a pattern",
    "policy.resource": "did you mean 'resources'?",
    "policy.effect": "one of 'allow', 'deny'",
    "policy.conditions[0].field": "there is no field 'actor.name'",
    "policy.conditions[1].operator": "one of 'contains', 'eq'",
    "policy.conditions[2].value": "a '(' is not closed, at character 3",
    "policy.conditions[3].value_from": "'matches' takes a 'value'",
    "policy.conditions[4].value": "'in' needs a list",
    "policy.conditions[5].value": "'lt' compares numbers",
    "policy.conditions[6].operator": "needs a 'value' or a 'value_from'",
    "policy.conditions[7].value": "not both",
    "policy.conditions[8].value": "true or false",
    "security.actor.name": "no such field",
    "security.policies[0]": "there is no entry 't:q'",
    "security.groups": "no policy is in the group 't:user'",
    "network.allow[0]": "a name needs a port",
    "network.listen[0]": "it must name a local address",
}


def test_everything_is_said_at_its_place(tmp_path: Path) -> None:
    (tmp_path / "_index.yaml").write_text(BROKEN)
    with pytest.raises(DefinitionError) as caught:
        App.load(tmp_path)
    problems = {p.field: p for p in caught.value.problems}
    for field, words in SAID.items():
        assert field in problems, (field, sorted(problems))
        assert words in f"{problems[field].message} {problems[field].hint}", problems[field]
    assert problems["policy.conditions[2].value"].line == 12
    assert problems["network.allow[0]"].line == 26


def test_rules_that_have_no_effect_are_a_warning(tmp_path: Path) -> None:
    (tmp_path / "_index.yaml").write_text(
        'namespace: t\nentries:\n  - name: f\n    kind: function.wat\n    source: (module (func (export "f")))\n'
        '    wit: "f: func();"\n    method: f\n    network: {allow: ["*:443"]}\n'
    )
    (warning,) = App.load(tmp_path).warnings
    assert (warning.field, warning.line) == ("network", 3)


@pytest.mark.parametrize("text", ["security: {strict: true}", "security: {strict_mode: yes please}", "security: 3"])
def test_settings_that_are_misspelt_start_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "_index.yaml").write_text("namespace: t\nentries: []\n")
    (tmp_path / ".wippy.yaml").write_text(text)
    with pytest.raises(DefinitionError, match="security"):
        App.load(tmp_path)
