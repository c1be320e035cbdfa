"""Expected messages → ours.

In: the message that a vector expects, the one that we gave. Out: whether they mean the same. They do where ours
contains the expected one, or where the table below says which of our words stand for theirs.
"""

from __future__ import annotations

import re

SAME_MEANING: tuple[tuple[str, str], ...] = (
    # expected, as a whole                                     ours, somewhere in the message
    (r"unexpected end-of-file", r"unexpected end"),
    (r"section out of order", r"is out of order"),
    (r"expected a version header for a module", r"expected a core module, found a component"),
    (r"expected a version header for a component", r"expected a component, found a core module"),
    (r"invalid leading byte (\(0x[0-9a-f]+\)) for .*", r"invalid leading byte \1"),
    (r"duplicate '(\S+)' option in name", r"`\1` is given more than once"),
    (r"unknown (module|tag)( \d+.*)?", r"unknown core \1"),
    (r"is not a module", r"is not a core module"),
    (r"export `(\w+)` for core instance (\d+) is not a (\w+)", r"export `\1` of core instance \2 is not a core \3"),
    (
        r"canonical encoding option `(.*)` conflicts with option `latin1-utf16`",
        r"`\1` conflicts with .*`latin1\+utf16`",
    ),
    (r"lowered (parameter|result) types .*", r"lowered \1 types do not match"),
    (r"expected (\w+), found tuple", r"expected primitive, found tuple"),
    (r"empty string|empty identifier segment", r"is not a valid semver"),
    (r"unexpected character '.'|unexpected end of input", r"is not a valid semver"),
    (r"wasm trap: wasm `(\w+)` instruction executed", r"\1"),
    (r"wasm trap: (.*)", r"\1"),
)


def same_meaning(expected: str, actual: str) -> bool:
    """Does our message say what the vector expects?"""
    if expected in actual:
        return True
    for theirs, ours in SAME_MEANING:
        found = re.fullmatch(theirs, expected)
        if found is not None and re.search(_filled(ours, found), actual):
            return True
    return False


def _filled(ours: str, found: re.Match[str]) -> str:
    """Our pattern, with what the expected message says in place of `\\1` and so on."""
    return re.sub(r"\\(\d)", lambda group: re.escape(found[int(group[1])] or ""), ours)
