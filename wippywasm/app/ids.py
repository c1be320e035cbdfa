"""Ids of entries, `namespace:name`.

In: what somebody calls an id. Out: its two parts, or InvalidError where it can't be one. An id that names nothing is
another matter, and whoever looks for the entry says so. Spec: SPEC section 2.
"""

from __future__ import annotations

import re
from typing import Any

from wippywasm.app.words import kind_of
from wippywasm.errors import InvalidError

NAMESPACE = r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,254}"
NAME = r"[A-Za-z0-9_][A-Za-z0-9_.\-/]{0,254}"
ID_FORM = "an id is written namespace:name"
_ID = re.compile(f"({NAMESPACE}):({NAME})")


def is_id(text: str) -> bool:
    """Whether a text is written as an id."""
    return _ID.fullmatch(text) is not None


def split_id(id: Any, hint: str | None = None) -> tuple[str, str]:
    """The namespace and the name of an id; raises InvalidError that says what is wrong, with `hint`."""
    match = _ID.fullmatch(id) if isinstance(id, str) else None
    if match is None:
        raise InvalidError(f"{ID_FORM}, {_wrong(id)}", hint=hint)
    return match[1], match[2]


def check_id(id: Any, hint: str | None = None) -> None:
    """Raise InvalidError for what can't be an id, before anything is looked for by it."""
    split_id(id, hint)


def _wrong(id: Any) -> str:
    if not isinstance(id, str):
        return f"got {kind_of(id)}"
    if not id:
        return "got an empty text"
    namespace, colon, name = id.partition(":")
    if not colon:
        return f"'{id:.80}' has no namespace"
    missing = "namespace" if not namespace else "name" if not name else None
    if missing is not None:
        return f"the {missing} of '{id:.80}' is empty"
    return f"{id!r:.80} has other characters than letters, digits and . - _ / in it, or is too long"
