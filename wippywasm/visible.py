"""Text from guests, programs and files, fit to be looked at: what it would do instead of being seen is written out.

In: any text. Out: the text with control characters as escapes, and those that would show the text around them in
another order or could not be seen at all; lines and tabs stay.

Spec: SPEC section 8 (hostile guests); Unicode Standard Annex 9 (bidirectional formatting characters).
"""

from __future__ import annotations

import json
from collections.abc import Mapping

_BYTES = (*range(32), *range(127, 160))
_ORDER = (0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A))
_UNSEEN = (0xAD, 0x34F, 0x115F, 0x1160, 0x180E, 0x200B, *range(0x2060, 0x2066), *range(0x206A, 0x2070), 0x3164, 0xFEFF)
_UNSEEN += (0xFFA0, *range(0xFFF9, 0xFFFC))
"""Not the joiners and variants (U+200C, U+200D, U+FE0F): words of several scripts, and emoji, are written with them."""
_TAGS = range(0xE0000, 0xE0080)
_ESCAPES = (
    {c: f"\\x{c:02x}" for c in _BYTES if chr(c) not in "\n\t"}
    | {c: f"\\u{c:04x}" for c in (*_ORDER, *_UNSEEN)}
    | {c: f"\\U{c:08x}" for c in _TAGS}
)
_JSON_ESCAPES = {c: json.dumps(chr(c))[1:-1] if c != 0x7F else "\\u007f" for c in _ESCAPES}
"""By JSON's rules: `\\udb40\\udc01` for what is beyond 16 bits."""

_HIDDEN = frozenset(map(chr, _ESCAPES))


def visible(text: str) -> str:
    """`a\\x1bb` for what a terminal would obey, `\\u202e` for what turns the order, `\\ufeff` for what has no width."""
    return _translated(text, _ESCAPES)


def visible_json(text: str) -> str:
    """JSON text of the same value, in which all can be seen."""
    return _translated(text, _JSON_ESCAPES)


def _translated(text: str, escapes: Mapping[int, str]) -> str:
    """`text.translate`, which is slow where there is one letter beyond ASCII, and mostly has nothing to do."""
    return text if not text.isascii() and _HIDDEN.isdisjoint(text) else text.translate(escapes)
