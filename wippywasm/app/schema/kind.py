"""What a kind is: a table of fields, and a raw entry checked against it.

In: raw entries. Out: checked entries; problems go to the report.
Spec: SPEC section 2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from wippywasm.app.definition.raw import RawEntry
from wippywasm.app.entry import Entry
from wippywasm.app.report import Report
from wippywasm.app.schema.scope import Scope, not_yet
from wippywasm.app.schema.types import Field, Struct, Text, check_fields
from wippywasm.app.suggest import did_you_mean, listing
from wippywasm.dataclass import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind of entry. `rules` look at the checked fields together; `meta` are those of `meta` that mean something."""

    name: str
    fields: Mapping[str, Field]
    is_open: bool = False
    rules: tuple[Callable[[Mapping[str, Any], Scope], None], ...] = ()
    meta: Mapping[str, Field] = field(default_factory=dict)


def _command_name(name: str) -> str | None:
    if name == "list" or name.startswith("-") or any(c.isspace() or c in "/\\" for c in name):
        return f"'{name}' can't be a command: no spaces or slashes, no '-' in front, and 'list' is taken"
    return None


_COMMAND = Struct({"name": Field(Text(rule=_command_name), required=True), "short": Field(Text())})
_ID_FIELDS = ("name", "kind")


def check_entries(
    raw: Sequence[RawEntry], kinds: Mapping[str, Kind], later: Sequence[str], app: Path, report: Report
) -> list[Entry]:
    """Check every raw entry; those of unknown kinds are left out after a problem."""
    checker = _Checker(kinds, later, app, report)
    return [entry for r in raw if (entry := checker.check(r)) is not None]


def _meta(kind: Kind) -> Field:
    return Field(Struct({"command": Field(_COMMAND), **kind.meta}, is_open=True))


class _Checker:
    def __init__(self, kinds: Mapping[str, Kind], later: Sequence[str], app: Path, report: Report) -> None:
        self._kinds = kinds
        self._later = later
        self._app = app
        self._report = report

    def check(self, raw: RawEntry) -> Entry | None:
        kind = self._kind(raw)
        if kind is None:
            return None
        before = len(self._report.problems)
        scope = Scope(raw.at(self._report), raw.namespace, self._app, raw.file)
        fields = {name: node for name, node in raw.fields.items() if name not in _ID_FIELDS}
        known = Struct({**kind.fields, "meta": _meta(kind)}, kind.is_open)
        data = dict(check_fields(known, fields, scope))
        meta = data.pop("meta", None) or MappingProxyType({})
        valid = len(self._report.problems) == before
        for rule in kind.rules if valid else ():
            rule(data, scope)
        return Entry(
            raw.id,
            kind.name,
            meta,
            MappingProxyType(data),
            raw.shown,
            raw.line,
            MappingProxyType({name: node.line for name, node in raw.fields.items()}),
            tuple(scope.references),
            raw.file,
            len(self._report.problems) == before,
        )

    def _kind(self, raw: RawEntry) -> Kind | None:
        node = raw.fields.get("kind")
        at = raw.at(self._report).child("kind", node)
        if node is None:
            at.problem("required, but missing", f"the kinds are {listing(self._kinds)}")
        elif not isinstance(node.value, str):
            at.problem(f"expected the name of a kind, got {node.describe()}")
        elif node.value in self._kinds:
            return self._kinds[node.value]
        elif node.value in self._later:
            at.problem(not_yet(f"kind '{node.value}'"), "leave the entry out for now")
        else:
            near = did_you_mean(node.value, (*self._kinds, *self._later))
            at.problem(f"there is no kind '{node.value[:80]}'", near or f"the kinds are {listing(self._kinds)}")
        return None
