"""Text as HTML that shows all of it, whatever is in it.

In: text from a file. Out: markup.
"""

from __future__ import annotations

from html import escape

from wippywasm.visible import visible


def safe(text: str) -> str:
    """The text itself, with what can't be seen as escapes."""
    return escape(visible(text))


def isolated(text: str) -> str:
    """A name within other words: letters that are written from right to left do not turn those around."""
    return f"<bdi>{safe(text)}</bdi>"
