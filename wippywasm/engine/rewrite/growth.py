"""Growth that is asked for: the code around `memory.grow` and `table.grow`, for bounds that hold for several together.

In: a module's memories and tables, where the host's functions stand. Out: code. Before it grows, the module asks the
host with the number of pages or elements, and grows by the answer: that number, or 0 where it may not. Afterwards it
tells the host what came of it, and goes on with what that says: the former size, or -1.

Spec: WebAssembly core, `exec/instructions` (`memory.grow`, `table.grow`).
"""

from __future__ import annotations

from wippywasm.binary.core_module import CoreModuleInfo
from wippywasm.core import CoreFuncType, CoreMemoryType, CoreTableType
from wippywasm.engine.rewrite.around import Around, Code
from wippywasm.leb128 import unsigned

ELEMENTS = -1
"""What the host is told of a table; of a memory it is told the logarithm of the size of a page."""
_NARROW = CoreFuncType(("i32", "i32"), ("i32",))
_WIDE = CoreFuncType(("i64", "i32"), ("i64",))
FUNCTIONS = (_NARROW, _NARROW, _WIDE, _WIDE)
"""What the host has for it: to ask and to tell in 32 bits, and in 64, which few modules need."""


class Questions(Around):
    """The code around growth. `slot` is the first of the host's functions in `table`, `type` the first of their types.

    `functions` are those of `FUNCTIONS` that it takes, the first ones; there are none where nothing grows.
    """

    def __init__(self, info: CoreModuleInfo, slot: int, type: int, table: int) -> None:
        super().__init__(info)
        self._slot = slot
        self._type = type
        self._table = table
        self.functions: tuple[CoreFuncType, ...] = ()

    def of_memory(self, type: CoreMemoryType, index: int) -> Code:
        return self._calls(type.is_64, type.page_size_log2)

    def of_table(self, type: CoreTableType, index: int) -> Code:
        return self._calls(type.is_64, ELEMENTS)

    def _calls(self, is_64: bool, unit: int) -> Code:
        first = 2 * is_64
        self.functions = max(self.functions, FUNCTIONS[: first + 2], key=len)
        first += self._slot
        return self._call(first, is_64, unit), self._call(first + 1, is_64, unit)

    def _call(self, slot: int, is_64: bool, unit: int) -> bytes:
        """`(unit, slot) call_indirect`; both constants are below 64 or -1, which are one byte."""
        constants = b"\x41" + bytes([unit & 0x7F]) + b"\x41" + bytes([slot])
        return constants + b"\x11" + unsigned(self._type + is_64) + unsigned(self._table)
