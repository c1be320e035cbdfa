"""An engine whose stores share a pool of memories and tables: making and freeing an instance takes two thirds as long.

In: the engine that it stands beside, whose compiled code it takes over. Out: a `WasmtimeEngine` with room for so many
stores, or None where this machine can't have one. Address space is all that the pool takes; what its memories hold is
given back when they are, but for the first pages.

Reference: `wasmtime_pooling_allocation_config_t`.
"""

from __future__ import annotations

import ctypes
import mmap
import sys

import wasmtime

from wippywasm.engine import wasmtime_capi as capi
from wippywasm.engine.map_room import MARGIN, maps_left
from wippywasm.engine.port import MAX_TABLE_ELEMENTS
from wippywasm.engine.wasmtime_config import make_config

STORES = 32
MEMORIES, TABLES, INSTANCES = 3, 4, 32
"""What there is of each for one store; one of the memories and most of the instances are ours. Guests that might need
more are not made in the pool, so that no store takes what another was promised."""
KEPT_BYTES = 1 << 16
_RESERVED = STORES * MEMORIES * (9 << 30)
"""More address space than the memories of the pool take, with what lies between them."""
_SETTINGS = {
    "total_memories": STORES * MEMORIES,
    "total_tables": STORES * TABLES,
    "total_core_instances": STORES * INSTANCES,
    "total_stacks": STORES * 2,
    "table_elements": MAX_TABLE_ELEMENTS,
    "linear_memory_keep_resident": KEPT_BYTES,
    "table_keep_resident": KEPT_BYTES,
}


def pool_config() -> wasmtime.Config | None:
    """The settings of an engine with a pool; None where there is no such address space, or hardly a memory map left."""
    if sys.platform != "linux" or ctypes.sizeof(ctypes.c_void_p) < 8:
        return None
    if not _has_address_space() or maps_left(MARGIN) < MARGIN:
        return None
    config = make_config()
    pool = capi.pointer(capi.pool_config_new())
    for name, value in _SETTINGS.items():
        capi.pool_config_set(name)(pool, value)
    capi.pooling_strategy_set(capi.pointer_of(config), pool)
    capi.pool_config_delete(pool)
    return config


def _has_address_space() -> bool:
    """Whether that much can be reserved: wasmtime ends the process where it can't, or finds no memory map."""
    try:
        mmap.mmap(-1, _RESERVED, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=mmap.PROT_READ).close()
    except OSError:
        return False
    return True
