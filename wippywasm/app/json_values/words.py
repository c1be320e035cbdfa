"""What was got instead, for messages.

In: a JSON value. Out: a few words.
"""

from __future__ import annotations

from typing import Any


class Words(str):
    """What was got, in words already."""


def got_words(value: Any) -> str:
    """A JSON value in a few words."""
    if isinstance(value, Words):
        return value
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= 40 else f'"{value[:39]}…"'
    if isinstance(value, list):
        return f"an array of {len(value)}"
    if isinstance(value, dict):
        return f"an object of {len(value)}"
    return str(value) if not isinstance(value, int) or abs(value) < 10**40 else "a huge number"
