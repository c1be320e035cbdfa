"""Whether a pattern is found in a text.

In: a program, a text of bounded length. Out: yes or no, after one look at each character. What the program can be in
after a character is remembered by what it could be in before; so most steps are one look-up.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from wippywasm.app.security.regex.charset import Charset
from wippywasm.app.security.regex.nodes import Begin, End
from wippywasm.app.security.regex.parser import parse
from wippywasm.app.security.regex.program import Fork, Found, compile_node

MAX_TEXT = 4096
_REMEMBERED = 50_000
"""Places that what is remembered may name, all steps together."""

States: TypeAlias = frozenset[int]


class TextTooLongError(ValueError):
    """A text that is too long to be looked at."""


class Regex:
    """A pattern, compiled; raises RegexSyntaxError."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self._code = compile_node(parse(pattern))
        self._begin = self._closure([0], at_begin=True)
        self._again = self._closure([0])
        self._steps: dict[tuple[States, str], States] = {}
        self._remembered = 0

    def found_in(self, text: str) -> bool:
        """Whether some part of `text` fits; raises TextTooLongError."""
        if len(text) > MAX_TEXT:
            raise TextTooLongError(f"a text has at most {MAX_TEXT} characters for a pattern to be looked for")
        states = self._begin
        for char in text:
            if self._is_through(states):
                return True
            states = self._step(states, char)
        return self._is_through(self._closure(states, at_begin=not text, at_end=True))

    def _is_through(self, states: States) -> bool:
        return len(self._code) - 1 in states

    def _step(self, states: States, char: str) -> States:
        after = self._steps.get((states, char))
        if after is None:
            passed = (at + 1 for at in states if isinstance(test := self._code[at], Charset) and test.has(char))
            after = self._closure(passed) | self._again
            self._remember(states, char, after)
        return after

    def _remember(self, states: States, char: str, after: States) -> None:
        if self._remembered > _REMEMBERED:
            self._steps.clear()
            self._remembered = 0
        self._steps[states, char] = after
        self._remembered += len(states) + len(after) + 1

    def _closure(self, starts: Iterable[int], *, at_begin: bool = False, at_end: bool = False) -> States:
        """All that can be reached without a character."""
        seen: set[int] = set()
        waiting = list(starts)
        while waiting:
            at = waiting.pop()
            if at in seen:
                continue
            seen.add(at)
            match self._code[at]:
                case Fork(to):
                    waiting += to
                case Begin() if at_begin:
                    waiting.append(at + 1)
                case End() if at_end:
                    waiting.append(at + 1)
                case Found():
                    return frozenset((at,))
        return frozenset(seen)
