"""A Lua text and its place.

In: text, the name of its file and the line it starts on. Out: what the Lua compiler takes, so that every message of Lua
names the real file and line.
"""

from __future__ import annotations

from wippywasm.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class LuaSource:
    """`text` starts on line `line` (from 1) of the file shown as `chunk_name`; Lua shortens names above 59 bytes."""

    text: str
    chunk_name: str
    line: int = 1

    def padded(self) -> bytes:
        """The text with an empty line for each one before it in its file, so that Lua counts right."""
        return b"\n" * (self.line - 1) + self.text.encode("utf-8", "surrogateescape")
