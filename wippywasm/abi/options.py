"""What a `canon` definition says about how values cross: once for all instances, and for each instance.

Spec: `CanonicalABI.md`, "Canonical ABI Options", "Lifting and Lowering Context".
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Any, TypeAlias

from wippywasm.abi.state import ComponentInstance, RuntimeResource
from wippywasm.dataclass import dataclass
from wippywasm.engine.port import CoreFunc, CoreMemory
from wippywasm.model import ResourceType


class _NoCrowd:
    """Nobody waits for a turn."""

    waiting = 0


NO_CROWD = _NoCrowd()
ENCODINGS = ("utf8", "utf16", "latin1+utf16")

Batch: TypeAlias = "Callable[[array[int], int, Callable[[int, int], int]], Sequence[int]]"
"""Does many reallocations in one go.

Gets an `array('Q')` of requests, each `alignment << 32 | size`; a size that the memory has at least; and what to call
with a request and its pointer where that is not aligned, or not within this size, before anything else: it gives the
memory's size now, or traps. Gives the pointers that `realloc(0, 0, alignment, size)` returned, unsigned, in the same
order.
"""


@dataclass(frozen=True)
class Options:
    """The static half: the same for every instance of a component."""

    string_encoding: str = "utf8"
    is_async: bool = False


@dataclass(frozen=True)
class Binding:
    """The half of one instance. `batch` is optional and must equal so many calls of `realloc`; `crowd` is who waits for
    a turn to run guests, as `port.Fibers` has it."""

    instance: ComponentInstance
    memory: CoreMemory | None = None
    realloc: CoreFunc | None = None
    post_return: CoreFunc | None = None
    resources: Mapping[ResourceType, RuntimeResource] = field(default_factory=dict)
    batch: Batch | None = None
    crowd: Any = NO_CROWD
