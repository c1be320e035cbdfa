"""Ctrl-C at each place of ours where CPython looks for signals: where functions begin, after calls, at jumps back.

In: a call. Out: it, made anew for each place, with `KeyboardInterrupt` raised there. What a finalizer raises comes out
nowhere, so none is interrupted.
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import wippywasm

_OURS = ("<wippywasm ", str(Path(wippywasm.__file__).parent))
_TAKEN = ("POP_JUMP_IF_TRUE", "POP_JUMP_IF_FALSE") if sys.version_info < (3, 11) else ()
"""Jumps at which it looks where they are taken."""
_UNSEEN = ("SETUP_FINALLY", "SETUP_WITH", "BEFORE_ASYNC_WITH", "YIELD_FROM") if sys.version_info < (3, 11) else ()
"""Instructions before which it does not."""


def is_interrupted(n: int, call: Callable[[], object]) -> bool:
    """Make the call, with Ctrl-C at the n-th place of it; False where it has not so many."""
    press = _CtrlC(n)
    before = sys.gettrace()
    sys.settrace(press.enter)
    try:
        call()
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(before)
    return press.left == 0


class _CtrlC:
    def __init__(self, n: int) -> None:
        self.left = n
        self._last: dict[FrameType, int] = {}

    def enter(self, frame: FrameType, event: str, _: object) -> Any:
        if self.left == 0 or not frame.f_code.co_filename.startswith(_OURS) or _is_finalizer(frame):
            return None
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        self._last.pop(frame, None)
        return self._step

    def _step(self, frame: FrameType, event: str, _: object) -> Any:
        if event == "opcode" and self.left:
            before, now = self._last.get(frame), frame.f_lasti
            self._last[frame] = now
            self.left -= _looks(frame.f_code, before, now)
            if not self.left:
                sys.settrace(None)
                raise KeyboardInterrupt
        return self._step


def _is_finalizer(frame: FrameType | None) -> bool:
    while frame is not None and frame.f_code.co_name != "__del__":
        frame = frame.f_back
    return frame is not None


@cache
def _looks(code: CodeType, before: int | None, now: int) -> bool:
    """Whether it does between two instructions, of which the first is None where the function begins."""
    instructions = _instructions(code)
    if instructions[now].opname in _UNSEEN:
        return False
    if before is None:
        return sys.version_info < (3, 11)
    was = instructions[before]
    if was.opname == "RESUME":
        return was.arg == 0
    is_call = was.opname.startswith("CALL_" if sys.version_info < (3, 11) else "CALL")
    is_jump = was.opname in ("JUMP_ABSOLUTE", "JUMP_BACKWARD") or (was.opname in _TAKEN and was.argval == now)
    return (is_call or is_jump) and _handler(code, before) == _handler(code, now)


@cache
def _instructions(code: CodeType) -> dict[int, dis.Instruction]:
    return {i.offset: i for i in dis.get_instructions(code)}


def _handler(code: CodeType, at: int) -> int | None:
    """Where what is raised there is handled, if the code has a table of that."""
    parse = getattr(dis, "_parse_exception_table", lambda code: ())
    return next((e.target for e in parse(code) if e.start <= at < e.end), None)
