"""Text from guests, programs and files, fit to be looked at: what it would do instead of being seen is written out.

In: any text. Out: the text with control characters as escapes, and those that would show the text around them in
another order or could not be seen at all; lines and tabs stay.

Spec: SPEC section 8 (hostile guests); Unicode Standard Annex 9 (bidirectional formatting characters).
"""

from __future__ import annotations

_BYTES = (*range(32), *range(127, 160))
_ORDER = (0x061C, 0x200B, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2060, 0x206A), 0xFEFF)
_ESCAPES = {c: f"\\x{c:02x}" for c in _BYTES if chr(c) not in "\n\t"} | {c: f"\\u{c:04x}" for c in _ORDER}


def visible(text: str) -> str:
    """`a\\x1bb` for what a terminal would obey, `\\u202e` for what turns the order, `\\ufeff` for what has no width."""
    return text.translate(_ESCAPES)
