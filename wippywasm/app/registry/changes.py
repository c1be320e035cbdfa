"""Changes of a registry: operations that make one table of entries of another.

In: operations, or two tables. Out: a table, or the operations between them. Spec: SPEC section 2.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from wippywasm.app.definition.raw import RawEntry
from wippywasm.app.ids import check_id
from wippywasm.app.registry.plain import plain, raw_of
from wippywasm.app.suggest import did_you_mean_id
from wippywasm.dataclass import dataclass
from wippywasm.errors import AlreadyExistsError, InvalidError, NotFoundError

KINDS = ("entry.create", "entry.update", "entry.delete")


@dataclass(frozen=True)
class Operation:
    """One step: `kind` is `entry.create`, `entry.update` or `entry.delete`, the last of which needs no `entry`."""

    kind: str
    id: str
    entry: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InvalidError(f"there is no operation '{self.kind}': there are {', '.join(KINDS)}")
        check_id(self.id)


class Changes:
    """Operations that are applied together, or not at all."""

    def __init__(self, apply: Callable[[Sequence[Operation]], Awaitable[Any]]) -> None:
        self._apply = apply
        self.operations: list[Operation] = []

    def create(self, entry: Mapping[str, Any]) -> Changes:
        """Add an entry, `{id, kind, meta, data}`."""
        return self._add("entry.create", entry)

    def update(self, entry: Mapping[str, Any]) -> Changes:
        """Put an entry in the place of the one that has its id."""
        return self._add("entry.update", entry)

    def delete(self, id: str) -> Changes:
        """Remove an entry."""
        self.operations.append(Operation("entry.delete", id))
        return self

    def _add(self, kind: str, entry: Mapping[str, Any]) -> Changes:
        self.operations.append(Operation(kind, entry.get("id", ""), dict(entry)))
        return self

    async def apply(self) -> Any:
        """Apply them; gives the new version, and raises what `Registry.apply` raises."""
        return await self._apply(self.operations)


def applied(entries: Mapping[str, RawEntry], operations: Iterable[Operation], app: Path) -> dict[str, RawEntry]:
    """The table after the operations, one after the other.

    Raises AlreadyExistsError, NotFoundError, or InvalidError for an entry that is none.
    """
    table = dict(entries)
    for operation in operations:
        before = table.get(operation.id)
        if operation.kind == "entry.create" and before is not None:
            raise AlreadyExistsError(f"there is an entry '{operation.id}' already", hint="update it")
        if operation.kind != "entry.create" and before is None:
            raise NotFoundError(f"there is no entry '{operation.id}'", hint=did_you_mean_id(operation.id, table))
        if operation.kind == "entry.delete":
            del table[operation.id]
        else:
            table[operation.id] = raw_of(operation.entry or {}, app, before)
    return table


def delta(before: Mapping[str, RawEntry], after: Mapping[str, RawEntry]) -> list[Operation]:
    """The operations that make `after` of `before`: first what goes, then what comes and what is other."""
    gone = [Operation("entry.delete", id) for id in before if id not in after]
    return [*gone, *(op for id, entry in after.items() if (op := _towards(before.get(id), entry)) is not None)]


def _towards(before: RawEntry | None, after: RawEntry) -> Operation | None:
    new = plain(after)
    if before is None:
        return Operation("entry.create", after.id, new)
    return None if plain(before) == new else Operation("entry.update", after.id, new)
