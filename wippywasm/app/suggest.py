"""Near names for "did you mean".

In: a name that was not found and the names there are. Out: a hint, or None where nothing is near.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_MAX_LENGTH = 200
_MAX_CANDIDATES = 2000


def near(name: str, names: Iterable[str], count: int = 1) -> list[str]:
    """At most `count` of `names` that look like `name`, nearest first; bounded work for hostile names."""
    if len(name) > _MAX_LENGTH:
        return []
    candidates = [n for n, _ in zip(names, range(_MAX_CANDIDATES), strict=False) if len(n) <= _MAX_LENGTH]
    folded = {_fold(n): n for n in reversed(candidates)}
    found = difflib.get_close_matches(_fold(name), list(folded), n=count, cutoff=0.6)
    return [folded[f] for f in found]


def did_you_mean(name: str, names: Iterable[str]) -> str | None:
    """`did you mean 'x'?`, or None."""
    found = near(name, names)
    return f"did you mean '{found[0]}'?" if found else None


def did_you_mean_id(id: str, ids: Iterable[str]) -> str | None:
    """The same for `namespace:name`: first the same namespace by name, then the same name elsewhere."""
    namespace, _, name = id.partition(":")
    split = [i.partition(":") for i in ids]
    found = near(name, (n for ns, _, n in split if ns == namespace))
    if found:
        return f"did you mean '{namespace}:{found[0]}'?"
    homes = sorted({ns for ns, _, n in split if n == name})
    elsewhere = homes if len(homes) == 1 else near(namespace, homes)
    return f"did you mean '{elsewhere[0]}:{name}'?" if elsewhere else None


def listing(names: Iterable[str], limit: int = 12) -> str:
    """`'a', 'b', 'c'`, cut after `limit` names."""
    every = sorted(names)
    shown = ", ".join(f"'{n}'" for n in every[:limit])
    return f"{shown} and {len(every) - limit} more" if len(every) > limit else shown


def _fold(name: str) -> str:
    return name.lower().replace("_", "-")
