"""Where processes run, and the supervised ones. Spec: SPEC sections 2 and 9."""

from __future__ import annotations

from wippywasm.app.kinds.lifecycle import LIFECYCLE
from wippywasm.app.schema.kind import Kind
from wippywasm.app.schema.types import Anything, Bool, Field, Int, ListOf, Ref, Struct, required

PROCESSES = ("process.lua", "process.wasm")
HOSTS = ("process.host", "terminal.host")

_HOST = Struct(
    {
        "workers": Field(Int(1, 1024)),
        "queue_size": Field(Int(1, 1 << 20)),
        "local_queue_size": Field(Int(1, 1 << 20)),
        "max_processes": Field(Int(1, 1_000_000)),
    }
)

PROCESS_KINDS = (
    Kind("process.host", {"host": Field(_HOST), "lifecycle": LIFECYCLE}),
    Kind("terminal.host", {"hide_logs": Field(Bool()), "lifecycle": LIFECYCLE}),
    Kind(
        "process.service",
        {
            "process": required(Ref(PROCESSES)),
            "host": required(Ref(HOSTS[:1])),
            "input": Field(ListOf(Anything())),
            "lifecycle": LIFECYCLE,
        },
    ),
)
