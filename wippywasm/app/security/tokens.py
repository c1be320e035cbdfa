"""Tokens: texts that stand for an actor and a scope, for as long as they live.

In: `security.token_store` entries, and the `store.memory` that each keeps its tokens in; actors and scopes. Out:
tokens, and the identities behind them. They are in memory: they last no longer than the app, but outlive a change of
its entries. Spec: SPEC section 10.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from typing import Any

from wippywasm.app.context import Actor
from wippywasm.app.entry import Entry
from wippywasm.app.ids import check_id
from wippywasm.app.suggest import did_you_mean_id
from wippywasm.dataclass import dataclass
from wippywasm.errors import InternalError, NotFoundError, RateLimitedError

KIND, MEMORY = "security.token_store", "store.memory"
_MAX_SIZE = 10_000
_CLEANUP = 300.0
_EXPIRATION = 86400.0
_LENGTH = 32


@dataclass(frozen=True)
class Issued:
    """What a token stands for: an actor, the ids of the policies of a scope, until `expires` (of the clock)."""

    actor: Actor
    policies: Sequence[str]
    expires: float
    meta: Mapping[str, Any]


@dataclass(eq=False)
class Memory:
    """The tokens of all stores that keep theirs in one `store.memory`, by store and text."""

    tokens: dict[tuple[str, str], Issued] = field(default_factory=dict)
    cleaned: float = 0.0

    def clean(self, now: float) -> None:
        """Forget what has expired."""
        self.cleaned = now
        for key in [key for key, issued in self.tokens.items() if issued.expires <= now]:
            del self.tokens[key]


class TokenStore:
    """One store. `clock` gives seconds that only go forward."""

    def __init__(self, entry: Entry, backing: Entry, memory: Memory, clock: Callable[[], float]) -> None:
        self._id = entry.id
        self._memory = memory
        self._clock = clock
        self._length: int = entry.data.get("token_length", _LENGTH)
        self._expiration: float = entry.data.get("default_expiration", _EXPIRATION)
        key = entry.data.get("token_key")
        self._key: bytes | None = None if key is None else key.encode()
        self._most: int = backing.data.get("max_size") or _MAX_SIZE
        self._interval: float = backing.data.get("cleanup_interval") or _CLEANUP

    def create(self, actor: Actor, policies: Sequence[str], expiration: float | None, meta: Mapping[str, Any]) -> str:
        """A new token, which lives `expiration` seconds; raises RateLimitedError where there are too many."""
        now = self._clock()
        if now - self._memory.cleaned >= self._interval or len(self._memory.tokens) >= self._most:
            self._memory.clean(now)
        if len(self._memory.tokens) >= self._most:
            hint = "revoke some, let them expire sooner, or give the store.memory a larger max_size"
            raise RateLimitedError(f"{self._id} keeps {self._most} tokens and takes no more", hint=hint)
        text = base64.urlsafe_b64encode(secrets.token_bytes(self._length)).rstrip(b"=").decode()
        lives = self._expiration if expiration is None else expiration
        self._memory.tokens[self._id, text] = Issued(actor, tuple(policies), now + lives, meta)
        return text if self._key is None else f"{text}.{self._signature(text)}"

    def find(self, token: str) -> Issued:
        """What a token stands for; raises InternalError for one that is none, was revoked or has expired."""
        issued = self._memory.tokens.get((self._id, self._text(token)))
        if issued is None or issued.expires <= self._clock():
            raise InternalError("the token is not valid")
        return issued

    def revoke(self, token: str) -> bool:
        """Let a token stand for nothing; tells whether it stood for something."""
        return self._memory.tokens.pop((self._id, self._text(token)), None) is not None

    def _text(self, token: str) -> str:
        """The token without its signature; raises InternalError where that is another's."""
        if self._key is None:
            return token
        text, _, signature = token.rpartition(".")
        if not hmac.compare_digest(self._signature(text).encode(), signature.encode("utf-8", "replace")):
            raise InternalError("the token is not valid")
        return text

    def _signature(self, text: str) -> str:
        assert self._key is not None
        return hmac.new(self._key, text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


class TokenStores:
    """The stores of one table of entries; those of a changed table have the tokens of the one `before`."""

    def __init__(
        self,
        entries: Iterable[Entry] = (),
        before: TokenStores | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        table = {entry.id: entry for entry in entries if entry.kind in (KIND, MEMORY)}
        known: Mapping[str, Memory] = {} if before is None else before._memories
        self._memories: Mapping[str, Memory] = {
            id: known.get(id) or Memory() for id, entry in table.items() if entry.kind == MEMORY
        }
        self._stores = {id: self._store(entry, table, clock) for id, entry in table.items() if entry.kind == KIND}

    def _store(self, entry: Entry, table: Mapping[str, Entry], clock: Callable[[], float]) -> TokenStore:
        backing: str = entry.data["store"]
        return TokenStore(entry, table[backing], self._memories[backing], clock)

    def store(self, id: str) -> TokenStore:
        """The store with that id; raises NotFoundError, InvalidError."""
        found = self._stores.get(id)
        if found is None:
            check_id(id)
            raise NotFoundError(f"there is no token store '{id}'", hint=did_you_mean_id(id, self._stores))
        return found
