"""Which entries are other than before.

In: two loaded apps. Out: ids. An entry is other where it says something else, or where one that it names is other: a
function whose folder moved, a program whose library was edited.
"""

from __future__ import annotations

from collections.abc import Mapping

from wippywasm.app.entry import Entry


def changed_ids(before: Mapping[str, Entry], after: Mapping[str, Entry]) -> frozenset[str]:
    """The ids that are new, other or gone."""
    changed = {id for id in {*before, *after} if not _says_the_same(before.get(id), after.get(id))}
    users: dict[str, list[str]] = {}
    for entry in after.values():
        for reference in entry.references:
            users.setdefault(reference.id, []).append(entry.id)
    waiting = list(changed)
    while waiting:
        for user in users.get(waiting.pop(), ()):
            if user not in changed:
                changed.add(user)
                waiting.append(user)
    return frozenset(changed)


def _says_the_same(one: Entry | None, other: Entry | None) -> bool:
    """Whether they differ at most in where they stand in their file."""
    if one is None or other is None:
        return False
    return (one.kind, one.meta, one.data) == (other.kind, other.meta, other.data)
