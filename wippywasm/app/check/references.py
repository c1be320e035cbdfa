"""Ids and what refers to them.

In: raw entries, checked entries. Out: problems for an id that is given twice, and for a reference to nothing or to an
entry of another kind. Spec: SPEC section 2.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from wippywasm.app.definition.raw import RawEntry
from wippywasm.app.entry import Entry, Reference
from wippywasm.app.report import At, Report
from wippywasm.app.suggest import did_you_mean_id
from wippywasm.errors import with_article

MAX_SUGGESTIONS = 50


def check_duplicates(raw: Sequence[RawEntry], report: Report) -> None:
    """A problem for every entry whose id was given before."""
    first: dict[str, RawEntry] = {}
    for entry in raw:
        before = first.setdefault(entry.id, entry)
        if before is not entry:
            place = f"line {before.line}" if before.shown == entry.shown else f"{before.shown}:{before.line}"
            entry.at(report).child("name", entry.fields["name"]).problem(
                f"'{entry.id}' is defined twice, first on {place}", "rename one of them"
            )


def check_references(entries: Sequence[Entry], raw_ids: Collection[str], report: Report) -> None:
    """A problem for every reference that leads nowhere. One to a refused entry gets no second one."""
    checker = _Checker({entry.id: entry for entry in entries}, raw_ids)
    for entry in entries:
        for reference in entry.references:
            checker.check(reference, At(report, reference.path, reference.line, entry.id, reference.field))


class _Checker:
    """Suggestions cost a look at every id, so only the first problems get one."""

    def __init__(self, by_id: Mapping[str, Entry], raw_ids: Collection[str]) -> None:
        self._by_id = by_id
        self._raw_ids = raw_ids
        self._suggestions_left = MAX_SUGGESTIONS

    def check(self, reference: Reference, at: At) -> None:
        target = self._by_id.get(reference.id)
        wanted = " or ".join(reference.kinds)
        if target is None:
            if reference.id not in self._raw_ids:
                hint = self._suggestion(reference) or f"it must be {with_article(wanted)} entry"
                at.problem(f"there is no entry '{reference.id}'", hint)
        elif target.kind not in reference.kinds:
            at.problem(f"'{reference.id}' is {with_article(target.kind)}, not {with_article(wanted)}")

    def _suggestion(self, reference: Reference) -> str | None:
        self._suggestions_left -= 1
        if self._suggestions_left < 0:
            return None
        possible = [id for id, entry in self._by_id.items() if entry.kind in reference.kinds]
        return did_you_mean_id(reference.id, possible) or did_you_mean_id(reference.id, self._by_id)
