"""Comments in front of an item to its documentation.

In: comments as written. Out: text without comment marks and common indentation, or None where there are none. Every
comment counts, `//` as well as `///`, as other WIT tools have it. `comments` is the way back.
"""

from __future__ import annotations

from collections.abc import Iterable

ASCII_SPACE = " \t\n\x0c\r"
"""What counts as indentation; only spaces of it are ever taken away."""


def documentation(comments: Iterable[str]) -> str | None:
    """The text of `comments`, one paragraph of lines; None without comments."""
    texts = [_contents(comment) for comment in comments]
    if not texts:
        return None
    indent = " " * min((len(t) - len(t.lstrip(ASCII_SPACE)) for t in texts if t), default=0)
    lines: list[str] = []
    for text in texts:
        body = text.removeprefix(indent)
        lines += [line.removesuffix("\r") for line in body.split("\n")]
    return "\n".join(lines).rstrip("\n")


def _contents(comment: str) -> str:
    if comment.startswith("/**") and len(comment) > 4:
        return comment[3:].removesuffix("*/").rstrip()
    return comment.lstrip("/").rstrip()
