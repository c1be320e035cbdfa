"""Sets of characters: ranges, and what is not in them.

In: characters. Out: whether one is in the set. Classes such as `\\d` are those of ASCII.
"""

from __future__ import annotations

from typing import TypeAlias

from wippywasm.dataclass import dataclass

Range: TypeAlias = tuple[str, str]

DIGITS: tuple[Range, ...] = (("0", "9"),)
WORD: tuple[Range, ...] = (("0", "9"), ("A", "Z"), ("_", "_"), ("a", "z"))
SPACE: tuple[Range, ...] = (("\t", "\n"), ("\f", "\r"), (" ", " "))
LAST = "\U0010ffff"


@dataclass(frozen=True)
class Charset:
    """`ranges` have both their ends; `folds` makes letters of either case the same."""

    ranges: tuple[Range, ...]
    negated: bool = False
    folds: bool = False

    def has(self, char: str) -> bool:
        return self._has_any(char) != self.negated

    def _has_any(self, char: str) -> bool:
        forms = {char, char.lower(), char.upper()} if self.folds else (char,)
        return any(low <= form <= high for form in forms for low, high in self.ranges)


def complement(ranges: tuple[Range, ...]) -> tuple[Range, ...]:
    """Ranges of all other characters; `ranges` are in order and apart."""
    found: list[Range] = []
    start = 0
    for low, high in ranges:
        if ord(low) > start:
            found.append((chr(start), chr(ord(low) - 1)))
        start = ord(high) + 1
    if start <= ord(LAST):
        found.append((chr(start), LAST))
    return tuple(found)
