"""Bounds that the specification leaves to implementations, so that a small file can't ask for endless work.

They follow what other implementations allow, where they say it, except `WORK`: Python takes a hundred times as long for
a definition, and a decoder that can be held up for ten seconds by two megabytes is one that can be held up.
"""

from __future__ import annotations

from wippywasm.errors import ValidationError

MAX_NESTING = 100
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
MAX_FLAGS = 32
MAX_NAME = 100_000
"""The bytes of a name."""
MAX_VALUE_SIZE = 1 << 28

# ---- work: about the microseconds that CPython takes, so that all of a file takes less than a second ---------------

WORK = 600_000
"""What one file may cost: 75,000 types or 24,000 imports, over twenty times what a JavaScript component has."""
SECTION = 3
SCOPE = 30
"""A component, a component type or an instance type, by itself."""
MODULE = 20
DEFINITION = 8
CANONICAL = 18
INSTANCE = 20
EXTERN = 25
"""An import or export, with its name."""
LABEL = 5
BYTES_OF_NAME = 4
"""The bytes of a label or import name that are checked for one unit."""
ITEM = 2
"""A small part: an item of a tuple, an option, an argument, an inline export."""
CORE_TYPE = 10
INSTRUCTION = 1
"""An instruction of a constant expression."""
CORE_ITEM = 5
"""An import, export, global, table, memory, tag or custom section of a core module."""
FUNCTIONS_AT_ONCE = 16
"""Functions of a core module are read so many for one unit."""
NODE = 4
"""A type or export that substitution or comparison visits."""


class Budget:
    """Counts the work spent on one file; shared by all scopes of it."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = WORK

    def spend(self, amount: int, offset: int) -> None:
        """`ValidationError` where the work exceeds what any sensible component needs."""
        self.left -= amount
        if self.left < 0:
            message = "the definitions are too many, or the types of this component are too large to be checked"
            raise ValidationError(message, offset)
