"""Finding what grows memories and tables, to put code around it.

In: a module's memories and tables; a function body. Out: where it may grow something, and the code that a subclass has
for that.

Spec: WebAssembly core, `binary/instructions` (`memory.grow`, `table.grow`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeAlias

from wippywasm.binary.core_module import CoreModuleInfo
from wippywasm.core import CoreMemoryType, CoreTableType
from wippywasm.engine.rewrite.instructions import MEMORY_GROW, TABLE_GROW, read_opcode
from wippywasm.engine.rewrite.leb import read_u32

Code: TypeAlias = tuple[bytes, bytes]
"""What belongs before and after an instruction."""
_LOOKS = re.compile(rb"\x40[\x00\x80]|\xfc[\x0f\x8f]")
_LOOKS_WITH_SEVERAL = re.compile(rb"\x40|\xfc[\x0f\x8f]")
"""What growth looks like in a module with one memory, and in others."""


class Around:
    """The code around growth."""

    def __init__(self, info: CoreModuleInfo) -> None:
        self._memories: Sequence[CoreMemoryType] = info.memories
        self._tables: Sequence[CoreTableType] = info.tables
        self._looks = _LOOKS if len(info.memories) < 2 else _LOOKS_WITH_SEVERAL

    def may_be_in(self, section: bytes, start: int, end: int) -> bool:
        """Whether some bytes of a body look like growth, as those of most don't."""
        return self._looks.search(section, start, end) is not None

    def around(self, body: bytes, at: int) -> Code | None:
        """What belongs before and after the instruction at `at`; None where it does not grow anything."""
        opcode, operand = read_opcode(body, at)
        if opcode == MEMORY_GROW:
            index, _ = read_u32(body, operand)
            return self.of_memory(self._memories[index], index)
        if opcode == TABLE_GROW:
            index, _ = read_u32(body, operand)
            return self.of_table(self._tables[index], index)
        return None

    def of_memory(self, type: CoreMemoryType, index: int) -> Code:
        """The code around growth of a memory."""
        raise NotImplementedError

    def of_table(self, type: CoreTableType, index: int) -> Code:
        """The code around growth of a table."""
        raise NotImplementedError
