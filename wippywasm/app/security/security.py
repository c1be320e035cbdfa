"""The security of one app: its guard, its policies, whom its entries act as.

In: a table of entries. Out: answers for each call. A changed table is prepared and then takes effect at once; calls
under way keep the scope that they began with. Spec: SPEC section 10.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from wippywasm.app.context import Actor, Context
from wippywasm.app.entry import Entry
from wippywasm.app.security.guard import Guard
from wippywasm.app.security.identity import Identity, read_identity
from wippywasm.app.security.policies import Policies
from wippywasm.app.security.scope import Scope
from wippywasm.app.security.tokens import TokenStores
from wippywasm.dataclass import dataclass
from wippywasm.errors import InternalError, NotFoundError


@dataclass(frozen=True)
class Change:
    """What a table of entries says."""

    policies: Policies
    identities: Mapping[str, Identity]
    tokens: TokenStores


class Security:
    """Answers for one app."""

    def __init__(self, entries: Iterable[Entry] = (), *, strict: bool = False) -> None:
        self.guard = Guard(strict=strict)
        self._now = Change(Policies(), {}, TokenStores())
        self._now = self.prepare(entries)

    def prepare(self, entries: Iterable[Entry]) -> Change:
        """Read another table of entries, which the checks of `app/check` have passed."""
        table = list(entries)
        policies = Policies(table)
        acting = ((entry.id, entry.data.get("security")) for entry in table)
        identities = {id: read_identity(field, policies) for id, field in acting if field}
        return Change(policies, identities, TokenStores(table, self._now.tokens))

    def commit(self, change: Change) -> None:
        """Let what was prepared take effect."""
        self._now = change

    @property
    def policies(self) -> Policies:
        """Every `security.policy`, by id and by group."""
        return self._now.policies

    @property
    def tokens(self) -> TokenStores:
        """Every `security.token_store`."""
        return self._now.tokens

    def identity_of(self, store: str, token: str) -> tuple[Actor, Scope]:
        """Whom a token stands for; raises InternalError where it stands for nobody, NotFoundError for the store.

        A policy of its scope that is gone makes it stand for nobody: without it, more might be allowed.
        """
        issued = self.tokens.store(store).find(token)
        try:
            return issued.actor, Scope(map(self.policies.policy, issued.policies))
        except NotFoundError as error:
            raise InternalError(f"the token's scope is no more: {error}") from None

    def context_of(self, id: str, caller: Context) -> Context:
        """The context that an entry's code runs in."""
        identity = self._now.identities.get(id)
        own = caller if identity is None else identity.assumed(caller)
        return Context(own.actor, own.scope, own.values, id, own.pid)
