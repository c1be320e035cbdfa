"""Bounds that the specification leaves to implementations, so that a small file can't ask for endless work.

They follow what other implementations allow, where they say it.
"""

from __future__ import annotations

from wippywasm.errors import ValidationError

MAX_NESTING = 50
"""Components, component types and instance types within each other, and instances within instances."""
MAX_TYPE_DEPTH = 100
"""The height of a value type, so that recursion over a type is safe."""
MAX_TYPE_SIZE = 1_000_000
"""The nodes of a type, written out as a tree."""
MAX_INDEX_SPACE = 1_000_000
"""The items of one index space."""
MAX_FUNCTION_PARAMS = 1_000
MAX_LABELS = 10_000
"""Fields, cases, flags or items of one type."""
MAX_INSTANTIATION_ARGS = 10_000
WORK = 60_000
"""Type nodes that substitution and comparison may visit while one file is validated, and the bytes for each further."""
BYTES_PER_WORK = 8
MAX_FLAGS = 32
MAX_VALUE_SIZE = 1 << 28


class Budget:
    """Counts the work spent on one file; shared by all scopes of it."""

    __slots__ = ("left",)

    def __init__(self, file_size: int = 0) -> None:
        self.left = WORK + file_size // BYTES_PER_WORK

    def spend(self, amount: int, offset: int) -> None:
        """`ValidationError` where the work exceeds what any sensible component needs."""
        self.left -= amount
        if self.left < 0:
            raise ValidationError("the types of this component are too large to be checked", offset)
