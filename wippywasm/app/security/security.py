"""The security of one app: its guard, its policies, whom its entries act as.

In: a table of entries. Out: answers for each call. A changed table is prepared and then takes effect at once; calls
under way keep the scope that they began with. Spec: SPEC section 10.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from wippywasm.app.context import Context
from wippywasm.app.entry import Entry
from wippywasm.app.security.guard import Guard
from wippywasm.app.security.identity import Identity, read_identity
from wippywasm.app.security.policies import Policies


@dataclass(frozen=True)
class Change:
    """What a table of entries says."""

    policies: Policies
    identities: Mapping[str, Identity]


class Security:
    """Answers for one app."""

    def __init__(self, entries: Iterable[Entry] = (), *, strict: bool = False) -> None:
        self.guard = Guard(strict=strict)
        self._now = self.prepare(entries)

    def prepare(self, entries: Iterable[Entry]) -> Change:
        """Read another table of entries, which the checks of `app/check` have passed."""
        table = list(entries)
        policies = Policies(table)
        acting = ((entry.id, entry.data.get("security")) for entry in table)
        return Change(policies, {id: read_identity(field, policies) for id, field in acting if field})

    def commit(self, change: Change) -> None:
        """Let what was prepared take effect."""
        self._now = change

    @property
    def policies(self) -> Policies:
        """Every `security.policy`, by id and by group."""
        return self._now.policies

    def context_of(self, id: str, caller: Context) -> Context:
        """The context that an entry's code runs in."""
        identity = self._now.identities.get(id)
        own = caller if identity is None else identity.assumed(caller)
        return Context(own.actor, own.scope, own.values, id, own.pid)
