"""WASI 0.2 and preview 1 over asyncio.

In: what a guest may see of its host. Out: the interfaces that it imports, bound by the WIT that comes with the package.

    wasi                        `Wasi`: arguments, streams, clocks; the interfaces for what is granted
    handles, stream_errors      what resources have in common, `wasi:io/error`
    waitables, pollables        waiting over asyncio, `wasi:io/poll`
    sources, sinks, streams     where bytes come from and go, `wasi:io/streams`
    stdio, command_line         standard streams, `wasi:cli`
    clock_sources, clocks       `wasi:clocks`
    randomness                  `wasi:random`
    filesystem                  mounts of folders and in memory, `wasi:filesystem`
    network, sockets, http      what guests may reach, `wasi:sockets`, `wasi:http`
    preview1                    preview 1 for core modules
    run                         commands to their exit codes

Spec: SPEC sections 7, 8 and 14.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wippywasm.late import late_names

if TYPE_CHECKING:
    from wippywasm.wasi.clock_sources import Clock, FakeClock, SystemClock
    from wippywasm.wasi.filesystem import HostDirectory, MemoryDirectory, MemoryLink
    from wippywasm.wasi.network import Network
    from wippywasm.wasi.run import run_command, run_command_async
    from wippywasm.wasi.sinks import Capture
    from wippywasm.wasi.wasi import Wasi

__all__ = [
    "Capture",
    "Clock",
    "FakeClock",
    "HostDirectory",
    "MemoryDirectory",
    "MemoryLink",
    "Network",
    "SystemClock",
    "Wasi",
    "run_command",
    "run_command_async",
]

__getattr__ = late_names(
    __name__,
    {
        "Clock": "clock_sources",
        "FakeClock": "clock_sources",
        "SystemClock": "clock_sources",
        "HostDirectory": "filesystem",
        "MemoryDirectory": "filesystem",
        "MemoryLink": "filesystem",
        "Network": "network",
        "run_command": "run",
        "run_command_async": "run",
        "Capture": "sinks",
        "Wasi": "wasi",
    },
)
