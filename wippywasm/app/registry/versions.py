"""The versions that a registry has had.

In: tables of entries, each made from the one before. Out: versions by number, from 1; the last `MAX_VERSIONS` of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime, timezone
from types import MappingProxyType

from wippywasm.app.definition.raw import RawEntry
from wippywasm.dataclass import dataclass
from wippywasm.errors import NotFoundError

MAX_VERSIONS = 1000
"""Older ones are forgotten. Versions share the entries that they have in common."""


@dataclass(frozen=True)
class Version:
    """A table of entries; `created` is when it took effect."""

    id: int
    entries: Mapping[str, RawEntry] = field(repr=False)
    created: datetime = field(default_factory=lambda: datetime.now(timezone.utc))

    def __str__(self) -> str:
        return f"v{self.id}"


class History:
    """Versions in the order in which they were made; the last is the current one."""

    def __init__(self, entries: Mapping[str, RawEntry]) -> None:
        self._versions = {1: Version(1, MappingProxyType(dict(entries)))}
        self.current = self._versions[1]

    def add(self, entries: Mapping[str, RawEntry]) -> Version:
        """A new version, current from now on."""
        self.current = Version(self.current.id + 1, MappingProxyType(dict(entries)))
        self._versions[self.current.id] = self.current
        if len(self._versions) > MAX_VERSIONS:
            del self._versions[min(self._versions)]
        return self.current

    def get(self, id: int) -> Version:
        """A version by its number; raises NotFoundError."""
        version = self._versions.get(id)
        if version is None:
            raise NotFoundError(
                f"there is no version {id}", hint=f"there are {min(self._versions)} to {self.current.id}"
            )
        return version

    def all(self) -> Sequence[Version]:
        """Every version there is, the oldest first."""
        return tuple(self._versions.values())
