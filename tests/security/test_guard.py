"""The guard: who may do what, with and without strict mode, and the audit of what is refused."""

from __future__ import annotations

import logging

import pytest

from tests.security.policies import ALL, NOTHING, condition, policy
from wippywasm.app.context import Actor, Context, entered
from wippywasm.app.security import Guard, Scope
from wippywasm.errors import PermissionDeniedError

USER = Actor("user:1", {"role": "editor"})
READS = policy("t:reads", actions="*.get")
OWN = policy("t:own", condition("meta.owner", "eq", value_from="actor.id"), actions="edit")
NO_ROOMS = policy("t:no_rooms", resources="room:*", effect="deny")


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(
    ("policies", "action", "resource", "allowed"),
    [
        ((), "fs.get", "t:data", False),
        ((ALL,), "fs.get", "t:data", True),
        ((NOTHING,), "fs.get", "t:data", False),
        ((ALL, NOTHING), "fs.get", "t:data", False),
        ((READS,), "fs.get", "t:data", True),
        ((READS,), "funcs.call", "t:data", False),
        ((READS, NO_ROOMS), "fs.get", "room:1", False),
        ((READS, NO_ROOMS), "fs.get", "hall:1", True),
        ((OWN,), "edit", "x", True),
    ],
)
def test_any_deny_wins_else_any_allow(
    strict: bool, policies: tuple[object, ...], action: str, resource: str, allowed: bool
) -> None:
    scope = Scope(policies)  # type: ignore[arg-type]
    with entered(Context(USER, scope)):
        assert Guard(strict=strict).allows(action, resource, {"owner": "user:1"}) is allowed


@pytest.mark.parametrize("context", [Context(), Context(USER), Context(scope=Scope([NOTHING]))])
def test_without_an_actor_or_a_scope_the_mode_decides(context: Context) -> None:
    with entered(context):
        Guard().check("fs.get", "t:data")
        with pytest.raises(PermissionDeniedError, match=r"there is no (actor|scope) \(security.strict_mode"):
            Guard(strict=True).check("fs.get", "t:data")


@pytest.mark.parametrize("context", [Context(), Context(USER), Context(scope=Scope([ALL]))])
def test_what_only_a_policy_can_allow_is_refused_and_audited_without_one(
    context: Context, caplog: pytest.LogCaptureFixture
) -> None:
    guard = Guard()
    with entered(context), pytest.raises(PermissionDeniedError, match=r"must allow 'http_client.private_ip'") as caught:
        guard.check_granted("http_client.private_ip", "127.0.0.1")
    assert set(caught.value.details) == {"action", "resource", "actor", "policy"}
    assert [record.name for record in caplog.records] == ["wippywasm.audit"]
    assert guard.denials == {"http_client.private_ip": 1}
    with entered(Context(USER, Scope([ALL]))):
        guard.check_granted("http_client.private_ip", "127.0.0.1")


def test_conditions_can_ask_whose_code_it_is() -> None:
    only = policy("t:only", condition("meta.entry", "eq", "t:mailer"))
    with entered(Context(USER, Scope([only]), entry="t:mailer")):
        assert Guard().allows("http_client.request", "http://x/")
    with entered(Context(USER, Scope([only]), entry="t:other")):
        assert not Guard().allows("http_client.request", "http://x/")


def test_each_denial_is_one_line_with_its_facts(caplog: pytest.LogCaptureFixture) -> None:
    context = Context(USER, Scope([NOTHING]), entry="t:main", pid="1")
    with caplog.at_level(logging.WARNING, "wippywasm.audit"), entered(context):
        with pytest.raises(PermissionDeniedError) as caught:
            Guard().check("fs.get", "t:data\nactor=root")
        assert not Guard().allows("fs.get", "x" * 1000)
    first, second = caplog.records
    assert first.getMessage() == (
        'denied action="fs.get" resource="t:data\\nactor=root" actor="user:1" policy="t:nothing" '
        'reason="a policy denies it" entry="t:main" pid="1"'
    )
    assert getattr(first, "denial")["policy"] == "t:nothing"  # noqa: B009  (the logger's own attribute)
    assert len(second.getMessage()) < 800
    assert caught.value.details == {
        "action": "fs.get",
        "resource": "t:data\nactor=root",
        "actor": "user:1",
        "policy": "t:nothing",
    }


def test_what_is_allowed_is_not_audited(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "wippywasm.audit"), entered(Context(USER, Scope([ALL]))):
        Guard(strict=True).check("fs.get", "t:data")
    assert caplog.records == []
