"""Texts of types, and their bounds: types share their parts, and a text of them repeats each wherever it is used.

In: what a text is made of. Out: the text. What people read is cut, and says how much is missing. What is read again,
such as WIT and Python, is either whole or refused: a file of 200 bytes can name a tree of 2^30 parts.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable

from wippywasm.errors import TooLongError, counted

READABLE = 1_000
"""The characters that people are shown of one type or function."""
ROOM = 2_000_000
"""The characters that types may take in texts for machines, whatever the size of what they are made from."""
PARSED_ROOM = ROOM // 8
"""The same in texts that are parsed once more, which takes twenty times as much."""
OF_OWN = 20
"""How many a character adds that is written for the first time."""
OF_LINE = 200
"""How many a line adds, which stands for something in the file."""
_COUNTABLE = 10**12


class Texts:
    """Texts by what they are of, each made once, and the room for all of their uses.

    `room` is how much may be used, in texts that nothing else is in; `of_own` is what each new character adds.
    """

    def __init__(self, room: int = ROOM, of_own: int = OF_OWN) -> None:
        self._left = room
        self._of_own = of_own
        self._made: dict[Hashable, str] = {}
        self._used = 0

    def of(self, key: Hashable, make: Callable[[], str]) -> str:
        """The text of `key`, for one use of it: as it was made before, or as it is made now out of others.

        Raises TooLongError where there is no room for one more use.
        """
        text = self._made.get(key)
        if text is None:
            outer, self._used = self._used, 0
            text = self._made[key] = make()
            self._left += self._of_own * max(len(text) - self._used, 0)
            self._used = outer
        self._used += len(text)
        self.spend(len(text))
        return text

    def line(self, text: str) -> str:
        """A line that may have such texts in it. Raises TooLongError."""
        self.spend(len(text) - OF_LINE)
        return text

    def spend(self, count: int) -> None:
        """Take room for that many characters. Raises TooLongError."""
        self._left -= count
        if self._left < 0:
            raise TooLongError(
                "the types here share so many of their parts that they are too long to be written out",
                hint="give names to the types that others are made of: a record or alias is written by its name",
            )


def cut(text: str) -> str:
    """A text for people: its head where it is long, and how much is missing."""
    left = len(text) - READABLE
    return text if left <= 0 else f"{text[:READABLE]}… and {counted(left, 'more character')}"


def head(pieces: Iterable[str], size: int) -> str:
    """The same of what is too long to be made as a whole: `size` is the number of the parts of all of it."""
    text = ""
    for piece in pieces:
        text += piece[: READABLE + 1]
        if len(text) > READABLE:
            return f"{text[:READABLE]}… of {parts_in_all(size)}"
    return text


def parts_in_all(size: int) -> str:
    return counted(size, "part") if size < _COUNTABLE else f"over {_COUNTABLE:,} parts"
