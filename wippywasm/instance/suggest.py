"""Near names, for messages.

In: a name that was not found, and those that exist. Out: half a sentence, or nothing.
"""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str], *, shown: int = 3) -> str:
    """`, did you mean 'x' or 'y'?`; empty where nothing is near."""
    from difflib import get_close_matches  # for errors only

    near = get_close_matches(name, list(dict.fromkeys(known))[:1000], shown, 0.6)
    return f", did you mean {' or '.join(map(repr, near))}?" if near else ""
