"""Floats with the fewest digits that are the same float.

In: floats. Out: floats whose `repr` is short.
"""

from __future__ import annotations

import math
import struct


def as_single(value: float) -> float:
    """The nearest `f32`; infinite beyond its range."""
    try:
        return float(struct.unpack("<f", struct.pack("<f", value))[0])
    except OverflowError:
        return math.copysign(math.inf, value)


def shortest_single(value: float) -> float:
    """The number of fewest digits that is the same f32: 0.1, not 0.10000000149011612."""
    if not math.isfinite(value):
        return value
    exact = struct.pack("<f", value)
    for digits in range(6, 9):
        short = float(f"{value:.{digits}g}")
        if abs(short) <= abs(value) * 2 and struct.pack("<f", as_single(short)) == exact:
            return short
    return value
