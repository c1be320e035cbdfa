"""The `fields` resource: headers and trailers.

In: names and values from guests and peers. Out: an ordered list of them. Names keep their spelling, and compare without
case.

Spec: `wasi:http/types`, `fields`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, TypeAlias

from wippywasm.errors import Trap, WitError
from wippywasm.values import Variant
from wippywasm.wasi.handles import Handle
from wippywasm.wasi.http.names import FORBIDDEN, is_token, is_value
from wippywasm.wasi.network.budget import Budget

Entry: TypeAlias = "tuple[str, bytes]"
_OVERHEAD = 64
MAX_FIELDS = 1024
MAX_BYTES = 128 << 10
"""What one `fields` of a guest may hold."""


class Fields(Handle):
    """Names and values, in order; those of a message can't be changed."""

    own_budget: ClassVar[Budget | None] = None
    """What new ones of a guest count in."""

    def __init__(
        self, entries: Iterable[Entry] = (), budget: Budget | None = None, parent: Handle | None = None
    ) -> None:
        super().__init__(parent)
        self.budget = budget or self.own_budget or Budget(MAX_BYTES)
        self._size = 0
        self._entries: Sequence[Entry] = ()
        self._immutable = False
        self._replace(list(entries))

    @classmethod
    def view(cls, entries: Sequence[Entry], budget: Budget, parent: Handle | None = None) -> Fields:
        """Fields of a message, which stay the message's: they can't be changed, and cost nothing."""
        made = cls((), budget, parent)
        made._entries, made._immutable = entries, True
        return made

    def release(self) -> None:
        self.budget.give(self._size)

    @classmethod
    def from_list(cls, entries: Sequence[Entry]) -> Fields:
        _require(len(entries) <= MAX_FIELDS)
        for name, value in entries:
            check_name(name)
            check_value(value)
        return cls((name, bytes(value)) for name, value in entries)

    def snapshot(self) -> list[Entry]:
        """The entries as they are now."""
        return list(self._entries)

    def get(self, name: str) -> list[bytes]:
        return [v for n, v in self._entries if n.lower() == name.lower()]

    def has(self, name: str) -> bool:
        return any(n.lower() == name.lower() for n, _ in self._entries)

    def set(self, name: str, value: Sequence[bytes]) -> None:
        _require(len(value) <= MAX_FIELDS)
        check_name(name)
        for one in value:
            check_value(one)
        self._require_mutable()
        self._replace([*self._without(name), *((name, bytes(one)) for one in value)])

    def delete(self, name: str) -> None:
        check_name(name)
        self._require_mutable()
        self._replace(self._without(name))

    def append(self, name: str, value: bytes) -> None:
        check_name(name)
        check_value(value)
        self._require_mutable()
        self._replace([*self._entries, (name, bytes(value))])

    def entries(self) -> list[Entry]:
        return self.snapshot()

    def clone(self) -> Fields:
        return type(self)(self._entries, self.budget)

    def _without(self, name: str) -> list[Entry]:
        return [(n, v) for n, v in self._entries if n.lower() != name.lower()]

    def _require_mutable(self) -> None:
        if self._immutable:
            raise WitError(Variant("immutable"))

    def _replace(self, entries: list[Entry]) -> None:
        size = sum(len(n) + len(v) + _OVERHEAD for n, v in entries)
        _require(len(entries) <= MAX_FIELDS and size <= MAX_BYTES and self.budget.take(max(0, size - self._size)))
        self.budget.give(max(0, self._size - size))
        self._size = size
        self._entries = entries


def _require(within: bool) -> None:
    """Trap where a guest makes too much."""
    if not within:
        raise Trap("the guest made more HTTP fields than the host keeps for it", code="too many fields")


def check_name(name: str) -> None:
    """Refuse a name that is none, or not a guest's to set."""
    if not is_token(name):
        raise WitError(Variant("invalid-syntax"))
    if name.lower() in FORBIDDEN:
        raise WitError(Variant("forbidden"))


def check_value(value: bytes) -> None:
    """Refuse bytes that can't be a field's value."""
    if not is_value(bytes(value)):
        raise WitError(Variant("invalid-syntax"))


def visible(entries: Iterable[Entry]) -> list[Entry]:
    """What a guest sees of a message's fields: none that belong to its connection, by name or because it says so.

    Spec: RFC 9110 section 7.6.1.
    """
    entries = list(entries)
    named = b",".join(v for n, v in entries if n.lower() == "connection").lower().split(b",")
    hidden = FORBIDDEN | {name.strip().decode("latin-1") for name in named}
    return [(n, v) for n, v in entries if n.lower() not in hidden]


def content_length(entries: Iterable[Entry]) -> int | None:
    """The length that a message says its body has; None where it says none. Raises ValueError for nonsense."""
    values = {v.strip() for n, v in entries if n.lower() == "content-length"}
    if not values:
        return None
    if len(values) > 1:
        raise ValueError("several lengths")
    (value,) = values
    if not value.isdigit() or len(value) > 18:
        raise ValueError("not a length")
    return int(value)
