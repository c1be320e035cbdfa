"""Refused growth that is noted: the code around `memory.grow` and `table.grow`, for engines whose limits say nothing.

In: a module's memories and tables, the number of its globals. Out: code that uses globals. Where a growth gave -1, one
of those keeps what the memory (in bytes) or the table would have come to; 0 where none was refused.

Spec: WebAssembly core, `exec/instructions` (`memory.grow`, `table.grow`).
"""

from __future__ import annotations

from wippywasm.binary.core_module import CoreModuleInfo
from wippywasm.core import CoreMemoryType, CoreTableType
from wippywasm.engine.rewrite.around import Around, Code
from wippywasm.leb128 import signed, unsigned

NOTED = {"wippy:memory": 2, "wippy:table": 3}
"""The exports that have what was refused, as numbers among `GLOBALS`: bytes, and elements."""
GLOBALS = 4
"""How many it needs, each `(mut i64)` and 0 at first; two of them only from one instruction to the next."""
_ASKED, _RESULT, _BYTES, _ELEMENTS = range(GLOBALS)
_MOST = 1 << 40
"""Growth by more pages or elements is noted as one to 2⁶⁴ - 1: what it would come to may not fit in a global."""


class Notes(Around):
    """The code around growth; `found` says that there was some."""

    def __init__(self, info: CoreModuleInfo) -> None:
        super().__init__(info)
        self._first = len(info.globals)
        self.found = False

    def of_memory(self, type: CoreMemoryType, index: int) -> Code:
        return self._code(type.is_64, b"\x3f" + unsigned(index), type.page_size_log2, _BYTES)

    def of_table(self, type: CoreTableType, index: int) -> Code:
        return self._code(type.is_64, b"\xfc\x10" + unsigned(index), 0, _ELEMENTS)

    def _code(self, is_64: bool, size: bytes, log2: int, noted: int) -> Code:
        """`asked = n`; and `result = r; if result == -1 { noted = asked <= MOST ? (asked + size) << log2 : -1 }`."""
        self.found = True
        extend, extend_signed, wrap = (b"", b"", b"") if is_64 else (b"\xad", b"\xac", b"\xa7")
        asked, result = self._get(_ASKED), self._get(_RESULT)
        before = extend + self._set(_ASKED) + asked + wrap
        reached = asked + size + extend + b"\x7c\x42" + signed(log2) + b"\x86"
        note = reached + b"\x42\x7f" + asked + b"\x42" + signed(_MOST) + b"\x58\x1b" + self._set(noted)
        after = extend_signed + self._set(_RESULT) + result + b"\x42\x7f\x51\x04\x40" + note + b"\x0b" + result + wrap
        return before, after

    def _get(self, index: int) -> bytes:
        return b"\x23" + unsigned(self._first + index)

    def _set(self, index: int) -> bytes:
        return b"\x24" + unsigned(self._first + index)
