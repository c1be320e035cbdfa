"""A core module → the same module, which asks the host whether it may go on and whether it may grow, or notes where it
could not.

In: the bytes of a valid module, and bounds. Out: bytes of a module that behaves equally, but (`rewrite`) counts down at
function entries and loop heads and at zero calls a tick of the host, which gives the next count, for engines that can't
interrupt a guest; or (either) asks before each growth, for bounds on all memories or tables of a guest together, which
no engine has; or (`note_growth`) keeps what a refused growth would have come to, for engines that don't tell.

No index shifts: types, globals (the count) and a table (with the host's functions) are appended to their index spaces.
Where a module imports tables, `rewrite` has it import those it defines too, and the host's: they come last either way.
The table is exported, for a small module to put them there; until then nothing may run, so the start function is
exported too, and left to the host to call. Names of functions stay; the module's own is replaced by a mark, by which
its frames are found in a backtrace and told in terms of the original.

Spec: WebAssembly core, `binary/modules`, `binary/instructions`.
"""

from wippywasm.engine.rewrite.growth import ELEMENTS, FUNCTIONS
from wippywasm.engine.rewrite.hosts import TICK, placing_module, table_module
from wippywasm.engine.rewrite.module import START, TABLE, Rewritten, ask_for_growth, note_growth, noted_mark, rewrite
from wippywasm.engine.rewrite.notes import NOTED
from wippywasm.engine.rewrite.origin import Origin, original

__all__ = [
    "ELEMENTS",
    "FUNCTIONS",
    "NOTED",
    "START",
    "TABLE",
    "TICK",
    "Origin",
    "Rewritten",
    "ask_for_growth",
    "note_growth",
    "noted_mark",
    "original",
    "placing_module",
    "rewrite",
    "table_module",
]
