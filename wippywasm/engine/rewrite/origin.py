"""What a rewritten module was, so that traps tell of the file that people have.

In: a frame of a backtrace, the origins of a store's modules. Out: the frame in terms of the original.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from wippywasm.dataclass import dataclass
from wippywasm.engine.rewrite.offsets import Offsets
from wippywasm.errors import Frame


@dataclass(frozen=True, eq=False)
class Origin:
    """What a rewritten module was: the original's `name`, and the `offsets` of its code; `mark` is the new name."""

    mark: str
    name: str | None
    offsets: Offsets


def original(frame: Frame, origins: Mapping[str, Origin]) -> Frame:
    """A frame of a rewritten module as one of the module that was; `origins` has them by their marks."""
    origin = origins.get(frame.module or "")
    if origin is None:
        return frame
    offset = origin.offsets.original(frame.offset) if frame.offset else 0
    return replace(frame, module=origin.name, offset=offset)
