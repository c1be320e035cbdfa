"""Bounds that the specification leaves to implementations, so that a small file can't ask for endless work.

They follow what other implementations allow, where they say it, except those on work and room: these grow with the
definitions that were read, so that a file may be as large as it likes, and what a small file can ask for is small.
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

# ---- work: CPython takes half a microsecond, at most, for a unit ---------------------------------------------------

WORK = 200_000
"""What any file may cost: five times what a JavaScript component has."""
WORK_OF_BYTE = 4
"""What a byte of definitions, or of the head of a section, adds to it: about what the usual definitions take."""
MOST_WORK = 3_000_000
"""What no file may exceed, or it would take over a second; a component of CPython has a twentieth."""
SECTION = 5
SCOPE = 30
"""A component, a component type or an instance type, by itself."""
MODULE = 20
DEFINITION = 14
CANONICAL = 28
INSTANCE = 34
EXTERN = 25
"""An import or export, with its name."""
LABEL = 7
INLINE_EXPORT = 12
"""An export of an instance that is made of items, with its name."""
BYTES_OF_NAME = 4
"""The bytes of a label or import name that are checked for one unit."""
ITEM = 2
"""A small part: an item of a tuple, an option, an argument."""
CORE_TYPE = 12
INSTRUCTION = 1
"""An instruction of a constant expression."""
CORE_ITEM = 7
"""An import, export, global, table, memory or tag of a core module."""
CUSTOM_SECTION = 20
FUNCTIONS_AT_ONCE = 16
"""Functions of a core module are read so many for one unit."""
NODE = 4
"""A type or export that substitution or comparison visits."""
PARTS_AT_ONCE = 4
"""The parts of a type are looked at so many for one unit."""

# ---- room: about the bytes that CPython takes for definitions, and for types that are made of others ---------------

ROOM = 2_000_000
"""What they may take in any file: a hundred times what any vector of the specification needs beyond the next."""
ROOM_OF_BYTE = 32
"""What a byte of the file adds to it; definitions with the usual names take ten to twenty-five times their bytes."""
MOST_ROOM = 48_000_000
"""What no file may exceed."""
ROOM_OF_WORK = 16
"""What a definition takes, for each unit of the work of reading it."""
LABELLED_ROOM = 350
"""A record or variant type, beside its labels."""
NODE_ROOM = 250
"""A type or instance that substitution makes."""
FUNC_ROOM = 600
"""A function type that substitution makes, with a parameter or two."""
RESOURCE_ROOM = 150
"""A resource type of its own for one that a type introduces."""
ENTRY_ROOM = 100
"""An export, a part, or the path to a resource."""
STEP_ROOM = 8
"""A name in a path."""


class BudgetError(ValidationError):
    """The file asks for more work or room than its size gives it; no statement on whether its types fit."""


class Budget:
    """Counts the work spent on one file of so many bytes, and the room taken; shared by all scopes of it."""

    __slots__ = ("left", "most", "room")

    def __init__(self, size: int) -> None:
        self.left = WORK
        self.most = MOST_WORK - WORK
        self.room = min(ROOM + size * ROOM_OF_BYTE, MOST_ROOM)

    def grant(self, size: int) -> None:
        """Add what `size` bytes of definitions may cost."""
        more = min(size * WORK_OF_BYTE, self.most)
        self.most -= more
        self.left += more

    def spend(self, amount: int, offset: int) -> None:
        """`BudgetError` where the work exceeds what a sensible component of this size needs."""
        self.left -= amount
        if self.left < 0:
            raise _too_much(offset)

    def define(self, work: int, offset: int) -> None:
        """`BudgetError` where definitions that take so much work exceed it, or the room."""
        self.spend(work, offset)
        self.take(work * ROOM_OF_WORK, offset)

    def take(self, room: int, offset: int) -> None:
        """`BudgetError` where types take more room than those of a sensible component of this size."""
        self.room -= room
        if self.room < 0:
            raise _too_much(offset)


def _too_much(offset: int) -> BudgetError:
    message = "the definitions are too many, or the types of this component are too large to be checked"
    return BudgetError(message, offset)
