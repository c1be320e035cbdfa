"""How much Python does for a call, as a number that is the same on every machine.

In: a call. Out: the instructions of Python that it runs; what one of them does in C counts as one.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def steps_of(call: Callable[[], object]) -> int:
    """The instructions that it takes once whatever is made only once is there."""
    call()
    steps = 0

    def enter(frame: FrameType, event: str, _: object) -> Any:
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        return step

    def step(frame: FrameType, event: str, _: object) -> Any:
        nonlocal steps
        steps += event == "opcode"
        return step

    before = sys.gettrace()
    gc.disable()  # what it calls as it forgets others' garbage is none of these
    sys.settrace(enter)
    try:
        call()
    finally:
        sys.settrace(before)
        gc.enable()
    return steps


def grows_in_proportion(make: Callable[[int], Callable[[], object]], count: int = 60) -> bool:
    """Whether what is made for four times as many things takes about four times as many steps."""
    return steps_of(make(4 * count)) < 5 * steps_of(make(count))
