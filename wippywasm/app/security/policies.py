"""All policies of an app.

In: `security.policy` and `security.policy.expr` entries. Out: policies by id, scopes by group. Computed from a table of
entries at once, so that a changed table gives others. Spec: SPEC section 10.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from wippywasm.app.entry import Entry
from wippywasm.app.ids import check_id
from wippywasm.app.security.conditions import Condition
from wippywasm.app.security.expressions import Expression
from wippywasm.app.security.globs import Glob
from wippywasm.app.security.operators import PATTERN
from wippywasm.app.security.policy import Holds, Policy, Verdict
from wippywasm.app.security.regex import Regex
from wippywasm.app.security.request import FieldPath
from wippywasm.app.security.scope import Scope
from wippywasm.app.suggest import did_you_mean_id
from wippywasm.errors import NotFoundError

KINDS = ("security.policy", "security.policy.expr")


class Policies:
    """The policies of one table of entries."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        found = [entry for entry in entries if entry.kind in KINDS]
        self._by_id = {entry.id: _policy(entry) for entry in found}
        self._groups: dict[str, list[Policy]] = {}
        for entry in found:
            for group in entry.data.get("groups") or ():
                self._groups.setdefault(group, []).append(self._by_id[entry.id])

    def __contains__(self, id: object) -> bool:
        return id in self._by_id

    def policy(self, id: str) -> Policy:
        """The policy with that id; raises NotFoundError, InvalidError."""
        check_id(id)
        found = self._by_id.get(id)
        if found is None:
            raise NotFoundError(f"there is no policy '{id}'", hint=did_you_mean_id(id, self._by_id))
        return found

    def group(self, id: str) -> Scope:
        """The policies of a group, `namespace:name`; raises NotFoundError where no policy is in it, InvalidError."""
        check_id(id)
        found = self._groups.get(id)
        if found is None:
            raise NotFoundError(f"there is no group of policies '{id}'", hint=did_you_mean_id(id, self._groups))
        return Scope(found)


def _policy(entry: Entry) -> Policy:
    data = entry.data["policy"]
    conditions: tuple[Holds, ...] = tuple(_condition(item) for item in data.get("conditions") or ())
    if "expression" in data:
        conditions = (Expression.parse(data["expression"]),)
    return Policy(
        entry.id,
        tuple(map(Glob, data["actions"])),
        tuple(map(Glob, data["resources"])),
        Verdict(data["effect"]),
        conditions,
    )


def _condition(data: Mapping[str, Any]) -> Condition:
    field = FieldPath.parse(data["field"])
    assert field is not None, "the schema has looked"
    source = data.get("value_from")
    operator: str = data["operator"]
    value = Regex(data["value"]) if operator in PATTERN else data.get("value")
    return Condition(field, operator, value, None if source is None else FieldPath.parse(source))
