"""Bounds that the specification leaves to implementations, so that a small file can't ask for endless work.

They follow what other implementations allow, where they say it, except those on work and room: these grow with the
definitions that were read, so that a file may be as large as it likes, and what a small file can ask for is small.
"""

from __future__ import annotations

from wippywasm.budget import Budget, Cost

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


# ---- what a file may take ------------------------------------------------------------------------------------------

WORK = 200_000
"""What any file may cost, in units of half a microsecond at most: twice what a JavaScript component has."""
WORK_OF_BYTE = 4
"""What a byte of definitions, or of the head of a section, adds to it: about what the usual definitions take."""
MOST_WORK = 1_350_000
"""What no file may exceed, or to explain it would take over a second; a component of CPython has a fifth."""
ROOM = 1_500_000
"""What definitions, and types that are made of others, may take in any file, in about bytes."""
ROOM_OF_BYTE = 32
"""What a byte of the file adds to it; definitions with the usual names take eight to twenty times their bytes."""
MOST_ROOM = 48_000_000
"""What no file may exceed."""

# ---- what definitions take, and what the plan makes of them: measured by `tools.dense` -----------------------------

SECTION = 10
"""The work of a section by itself."""
SCOPE = Cost(22, 200)
"""A component, a component type or an instance type, by itself."""
NESTED = Cost(16, 520)
"""A component within another, beside its scope."""
MODULE = Cost(28, 750)
CUSTOM_SECTION = Cost(6, 370)
TYPE = Cost(12, 220)
"""A definition of a type."""
DECLARED_TYPE = Cost(16, 150)
"""A type within the type of an instance or component."""
NEW_TYPE = Cost(26, 300)
"""What a type adds that is not equal to one before it."""
FUNCTION = Cost(6, 0)
"""What the definition of a function's type adds."""
ALIAS = Cost(14, 190)
DECLARED_ALIAS = Cost(10, 10)
IMPORT = Cost(70, 500)
EXPORT = Cost(65, 480)
DECLARED_EXTERN = Cost(36, 110)
"""An import or export of the type of an instance or component."""
TYPE_ENTITY = Cost(10, 300)
"""What an import or export adds that is one of a type."""
INSTANCE_ENTITY = Cost(24, 0)
"""What one adds that is of an instance: its name is that of an interface, and the plan walks what it holds."""
EXPORTED_ITEM = 30
"""The work of each item in an instance that a component exports: the plan makes something of it, `inspect` tells it."""
ANNOTATED_NAME = 14
"""The work of a name such as that of a method, which is made of others."""
CORE_INSTANCE = Cost(12, 240)
CORE_EXPORT_OF_BAG = Cost(5, 160)
"""An export of a core instance that is made of items, with its name."""
INSTANCE = Cost(20, 350)
INSTANTIATION = Cost(20, 130)
"""What the instance of a component adds."""
INLINE_EXPORT = Cost(22, 180)
"""An export of an instance that is made of items, with its name."""
ARGUMENT = Cost(5, 130)
CANONICAL = Cost(16, 280)
OF_FUNCTION = Cost(10, 190)
"""What a canonical definition adds, except those of resources."""
FLATTENED = Cost(80, 200)
"""What one adds that lifts or lowers a function of another type than those before: the core types of its parts."""
TASK_RETURN = Cost(18, 220)
"""What this built-in adds, with a type of its own."""
FIELD = Cost(11, 150)
"""A field, case or parameter with its label."""
LABEL = Cost(6, 90)
"""A flag or a case of an enum."""
ITEM = Cost(2, 32)
"""A small part: an item of a tuple, an option."""
BYTES_OF_NAME = 16
"""The bytes of a label or import name that are checked for one unit."""
INSTRUCTION = 4
"""The work of an instruction of a constant expression."""
CORE_TYPE = Cost(16, 200)
CORE_MODULE_TYPE = Cost(0, 150)
"""What the type of a module adds to it."""
CORE_FUNCTION = Cost(14, 80)
"""What a function adds to a core type."""
CORE_COMPOSITE = Cost(8, 10)
"""What a struct, array or continuation adds to it."""
CORE_MEMBER = Cost(2, 200)
"""A member of a recursive group, beside its type."""
READING_CORE_REFERENCE = 5
"""The work of each reference, whatever it is to."""
CORE_REFERENCE = Cost(9, 200)
"""A reference to another type than before, or what a type adds that may have supertypes."""
CORE_PART = Cost(1, 12)
"""A parameter or result."""
CORE_FIELD = Cost(2, 12)
CORE_IMPORT = Cost(13, 230)
CORE_EXPORT = Cost(10, 165)
CORE_GLOBAL = Cost(5, 70)
CORE_MEMORY = Cost(13, 155)
"""A memory or table, or the type of one."""
CORE_TAG = Cost(3, 60)
CORE_FUNCTIONS_AT_ONCE = 16
"""Functions of a core module are read so many for one unit, where their indices are bytes."""
CORE_FUNCTION_ROOM = 16

# ---- what comparing and substituting types takes --------------------------------------------------------------------

CORE_ITEM = 4
"""The work of comparing two items of modules."""
CORE_PARTS_AT_ONCE = 16
"""The parameters and results of a core function are compared so many for one unit."""
SUPERTYPES_AT_ONCE = 2
"""The supertypes of a core type are looked through so many for one unit."""
NODE = 6
"""The work of a type or export that substitution or comparison visits."""
PARTS_AT_ONCE = 4
"""The parts of a type are looked at so many for one unit."""
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


def budget_of(size: int) -> Budget:
    """What a file of so many bytes may take."""
    room = min(ROOM + size * ROOM_OF_BYTE, MOST_ROOM)
    message = "the definitions are too many, or the types of this component are too large to be checked"
    return Budget(WORK, WORK_OF_BYTE, MOST_WORK, room, message)
