"""Patterns of actions and resources, in which `*` stands for any text, an empty one too.

In: a pattern, a text. Out: whether the whole text fits, in time linear in its length. Spec: SPEC section 10.
"""

from __future__ import annotations

from functools import cached_property

from wippywasm.dataclass import dataclass


@dataclass(frozen=True)
class Glob:
    """One pattern; no other character is special."""

    text: str

    def matches(self, text: str) -> bool:
        """Whether the whole of `text` fits."""
        first, middle, last = self._parts
        if last is None:
            return text == first
        if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
            return False
        return not middle or _in_order(middle, text, len(first), len(text) - len(last))

    @cached_property
    def _parts(self) -> tuple[str, list[str], str | None]:
        """What stands before, between and after the stars, two in a row being as one; None where there is none."""
        first, *rest = self.text.split("*")
        return first, list(filter(None, rest[:-1])), rest[-1] if rest else None


def _in_order(parts: list[str], text: str, start: int, end: int) -> bool:
    """Whether the parts follow one another in `text[start:end]`; the earliest place of each is best."""
    for part in parts:
        found = text.find(part, start, end)
        if found < 0:
            return False
        start = found + len(part)
    return True
