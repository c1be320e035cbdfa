"""Preview 1 for core modules, over the same hosts as WASI 0.2.

In: a `Wasi`, and a module's memory. Out: the 46 functions of `wasi_snapshot_preview1` as core callables.

    host                        `Preview1`: all functions for one guest, with their core types
    memory, records             checked access to the guest's memory, structures in it
    codes                       error numbers
    descriptors                 what a descriptor number stands for
    process                     arguments, environment, clocks, random, exit
    files, listing              `fd_*`
    paths                       `path_*`
    polling                     `poll_oneoff`

A function that waits touches the guest's memory before it starts and after it has ended, never between.

Spec: WASI `snapshots/preview_1`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wippywasm.late import late_names

if TYPE_CHECKING:
    from wippywasm.wasi.preview1.host import Preview1

__all__ = ["Preview1"]

__getattr__ = late_names(
    __name__,
    {
        "Preview1": "host",
    },
)
