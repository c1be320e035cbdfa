"""May the running call do this? Every guarded action asks here.

In: an action, a resource, facts about it; the context of the call. Out: nothing, or PermissionDeniedError and a line of
the audit. Spec: SPEC section 10.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from wippywasm.app.context import Context, current
from wippywasm.app.security import audit
from wippywasm.app.security.audit import Denial
from wippywasm.app.security.policy import Verdict
from wippywasm.app.security.request import Request
from wippywasm.errors import PermissionDeniedError

_STRICT = "security.strict_mode asks for both: give the entry, or who calls it, an identity"


class Guard:
    """Asks the scope of the running call. A call without actor or scope may do anything, or nothing where `strict`."""

    def __init__(self, *, strict: bool = False) -> None:
        self.strict = strict
        self.denials: Counter[str] = Counter()
        """How often each action was denied."""

    def check(self, action: str, resource: str, meta: Mapping[str, Any] | None = None) -> None:
        """Raise PermissionDeniedError where the running call may not.

        `meta` are facts about the resource that conditions may ask for (`meta.…`); `meta.entry` and `meta.pid` are
        whose code asks, unless given.
        """
        denial = self._denial(action, resource, meta or {}, strict=self.strict)
        if denial is not None:
            self.record(denial)
            raise _error(denial, _STRICT)

    def check_granted(self, action: str, resource: str) -> None:
        """The same where only a policy can allow it: a call without actor or scope may not, whatever the mode."""
        denial = self._denial(action, resource, {}, strict=True)
        if denial is not None:
            self.record(denial)
            raise _error(denial, f"a policy of the function's 'security' must allow '{action}'")

    def allows(self, action: str, resource: str, meta: Mapping[str, Any] | None = None) -> bool:
        """The same as an answer; what is refused is audited all the same."""
        denial = self._denial(action, resource, meta or {}, strict=self.strict)
        if denial is not None:
            self.record(denial)
        return denial is None

    def shows(self, action: str, resource: str, meta: Mapping[str, Any] | None = None) -> bool:
        """The same for what is left out of a list where it is refused: nobody asked for it, so it is not audited."""
        return self._denial(action, resource, meta or {}, strict=self.strict) is None

    def record(self, denial: Denial) -> None:
        """Count and audit what was refused."""
        self.denials[denial.action] += 1
        audit.record(denial)

    def _denial(self, action: str, resource: str, meta: Mapping[str, Any], *, strict: bool) -> Denial | None:
        context = current()
        if context.actor is None or context.scope is None:
            missing = "actor" if context.actor is None else "scope"
            return _denied(context, action, resource, None, f"there is no {missing}") if strict else None
        request = Request(context.actor, action, resource, {**_whose(context), **meta})
        decision = context.scope.evaluate(request)
        if decision.verdict is Verdict.ALLOW:
            return None
        reason = "no policy allows it" if decision.policy is None else "a policy denies it"
        return _denied(context, action, resource, decision.policy, reason)


def _whose(context: Context) -> dict[str, Any]:
    return {"entry": context.entry, "pid": context.pid}


def _denied(context: Context, action: str, resource: str, policy: str | None, reason: str) -> Denial:
    actor = None if context.actor is None else context.actor.id
    return Denial(action, resource, actor, policy, reason, context.entry, context.pid)


def _error(denial: Denial, missing: str) -> PermissionDeniedError:
    who = "a call without an identity" if denial.actor is None else f"'{denial.actor}'"
    by = f"{denial.policy} denies it" if denial.policy else denial.reason
    facts = ("action", "resource", "actor", "policy")
    return PermissionDeniedError(
        f"{who} may not {denial.action} '{denial.resource:.200}': {by}",
        hint=missing if denial.reason.startswith("there is no") else None,
        details={name: getattr(denial, name) for name in facts},
    )
