"""Near names, for messages.

In: a name that was not found, and those that exist. Out: half a sentence, or nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from wippywasm.instance.names import split_version


def did_you_mean(name: str, known: Iterable[str], *, shown: int = 3) -> str:
    """`, did you mean 'x' or 'y'?`; empty where nothing is near."""
    from difflib import get_close_matches  # for errors only

    near = get_close_matches(name, list(dict.fromkeys(known))[:1000], shown, 0.6)
    return f", did you mean {' or '.join(map(repr, near))}?" if near else ""


def what_to_pass(name: str, given: Iterable[str], more: str) -> str:
    """What to do about an import of that name, which nothing that is `given` serves; `more` ends the general advice."""
    others = [other for other in given if other != name]
    same = [repr(other) for other in others if split_version(other)[0] == split_version(name)[0]]
    if same:
        return (
            f"{' and '.join(same[:3])} {'is' if len(same) == 1 else 'are'} given, of a version that is not compatible"
        )
    return did_you_mean(name, others).removeprefix(", ") or f"pass imports={{{name!r}: …}}{more}"
