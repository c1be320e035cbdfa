"""How much a WIT package in binary form may make, so that a small file can't ask for endless work or memory.

In: what is read, and what is made of it, by kind. Out: ValidationError where that is out of proportion to the file.
What the kinds take was measured by `tools.dense_wit`.
"""

from __future__ import annotations

from wippywasm.budget import Budget, Cost

WORK, MOST_WORK = 30_000, 300_000
"""The work that a file of any size may take, beside one for each byte of its sections of types and exports, and what
none may exceed: three quarters of a second."""
ROOM, ROOM_OF_BYTE = 1_500_000, 40
"""The bytes that a file of any size may take, and those that each byte of it adds: the usual packages take thirty."""

CANDIDATE = Cost(4, 0)
"""Bytes that may be a package."""
SECTION = Cost(4, 0)
CUSTOM_SECTION = Cost(0, 260)
EXPORT = Cost(8, 330)
"""An export of the package itself."""
TYPE = Cost(4, 250)
"""A type definition, and the index that it gets."""
VECTOR = Cost(0, 80)
"""A list of anything, by itself."""
DECLARATION = Cost(4, 150)
"""A declaration within the type of an instance or component."""
EXTERN = Cost(4, 60)
"""What an import or export adds to it: a name, which is checked against others."""
ATTRIBUTE = Cost(1, 120)
"""An attribute of a name."""
FIELD = Cost(1, 140)
"""A field, case or parameter with its label."""
LABEL = Cost(1, 68)
ITEM = Cost(1, 12)

MADE_TYPE = Cost(1, 270)
"""A type with or without a name."""
MADE_RESOURCE = Cost(1, 70)
"""What it is, if that is a resource."""
MADE_VALUE = Cost(1, 230)
"""What it is, else: a value type."""
MADE_FIELD = Cost(1, 90)
"""A field or case of it."""
MADE_ITEM = Cost(1, 12)
"""An item or label of it."""
MADE_FUNCTION = Cost(1, 250)
MADE_PARAM = Cost(1, 70)
MADE_SCOPE = Cost(6, 200)
"""What reading the type of an instance or component takes, beside what it declares."""
MADE_ENTRY = Cost(1, 80)
"""An import, an export, a type or an alias in it."""
MADE_INTERFACE = Cost(1, 560)
MADE_PACKAGE = Cost(1, 700)


def budget_of(size: int) -> Budget:
    """What a file of so many bytes may take. Work is granted for sections that mean something here only."""
    message = "the package has too many types and names, or uses large types too often"
    return Budget(WORK, 1, MOST_WORK, ROOM + size * ROOM_OF_BYTE, message, "split the package")
