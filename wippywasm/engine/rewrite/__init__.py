"""A core module → the same module, which asks the host now and then whether it may go on, and stays within limits.

In: the bytes of a valid module of WebAssembly 2.0, and bounds. Out: bytes of a module that behaves equally, but counts
down at function entries and loop heads and at zero calls a tick of the host, which gives the next count. For engines
that can't interrupt a guest.

No index shifts: a type, a global (the count) and a table (with the tick in it) are appended to their index spaces. The
table is exported, for a small module to put the tick there; until then nothing may run, so the start function is
exported too, and left to the host to call. Memories and tables get maxima within the limits. Names of functions stay;
the module's own is replaced by a mark, by which its frames are found in a backtrace and told in terms of the original.

Spec: WebAssembly core, `binary/modules`, `binary/instructions`.
"""

from wippywasm.engine.rewrite.module import START, TABLE, Bounds, Origin, Rewritten, rewrite

__all__ = ["START", "TABLE", "Bounds", "Origin", "Rewritten", "rewrite"]
