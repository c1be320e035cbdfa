"""Whether a pattern is found in a text.

In: a program, a text of bounded length. Out: yes or no, after one look at each character. The places that the program
may be at are the bits of a number, all of them followed at the same time; where steps lead is remembered.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from wippywasm.app.security.regex.charset import Charset
from wippywasm.app.security.regex.nodes import Begin, End
from wippywasm.app.security.regex.parser import parse
from wippywasm.app.security.regex.program import Fork, compile_node

_K = TypeVar("_K")

MAX_TEXT = 4096
_REMEMBERED = 4000
"""Steps, and characters."""


class TextTooLongError(ValueError):
    """A text that is too long to be looked at."""


class Regex:
    """A pattern, compiled; raises RegexSyntaxError."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self._code = compile_node(parse(pattern))
        self._through = 1 << (len(self._code) - 1)
        self._again = self._places([0])
        self._after = [self._places([at + 1]) if isinstance(i, Charset) else 0 for at, i in enumerate(self._code)]
        self._ends = self._places_at_end()
        self._steps: dict[tuple[int, str], int] = {}
        self._fitting: dict[str, int] = {}

    def found_in(self, text: str) -> bool:
        """Whether some part of `text` fits; raises TextTooLongError."""
        if len(text) > MAX_TEXT:
            raise TextTooLongError(f"a text has at most {MAX_TEXT} characters for a pattern to be looked for")
        places = self._places([0], at_begin=True, at_end=not text)
        for char in text:
            if places & self._through:
                return True
            places = self._step(places, char)
        return bool(places & (self._through | self._ends))

    def _step(self, places: int, char: str) -> int:
        after = self._steps.get((places, char))
        if after is None:
            after = self._again
            fitting = places & self._fitting_to(char)
            while fitting:
                lowest = fitting & -fitting
                after |= self._after[lowest.bit_length() - 1]
                fitting ^= lowest
            _remember(self._steps, (places, char), after)
        return after

    def _fitting_to(self, char: str) -> int:
        """The places that a character may stand at."""
        found = self._fitting.get(char)
        if found is None:
            found = sum(1 << at for at, i in enumerate(self._code) if isinstance(i, Charset) and i.has(char))
            _remember(self._fitting, char, found)
        return found

    def _places_at_end(self) -> int:
        """Those from which the end of the text leads through."""
        ends = (at for at, instruction in enumerate(self._code) if isinstance(instruction, End))
        return sum(1 << at for at in ends if self._places([at], at_end=True) & self._through)

    def _places(self, starts: Iterable[int], *, at_begin: bool = False, at_end: bool = False) -> int:
        """All places that can be reached without a character."""
        found = 0
        waiting = list(starts)
        while waiting:
            at = waiting.pop()
            if found >> at & 1:
                continue
            found |= 1 << at
            match self._code[at]:
                case Fork(to):
                    waiting += to
                case Begin() if at_begin:
                    waiting.append(at + 1)
                case End() if at_end:
                    waiting.append(at + 1)
        return found


def _remember(known: dict[_K, int], key: _K, value: int) -> None:
    if len(known) >= _REMEMBERED:
        known.clear()
    known[key] = value
