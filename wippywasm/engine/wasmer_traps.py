"""What wasmer raises → what our callers see: a `Trap` with code and frames, or what the host raised, itself.

In: an exception out of wasmer. Out: an exception to raise. wasmer says everything in one text: a headline, then one
line per frame, all of them; an overflow of the stack fills megabytes, of which the first lines are read. Frames of
rewritten modules are told as those of the modules that people have.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from wippywasm.engine import traps
from wippywasm.engine.exhausted import exhausted, is_exhausted
from wippywasm.engine.panics import unless_panic
from wippywasm.engine.rewrite import Origin, original
from wippywasm.engine.traps import MAX_FRAMES, make_trap
from wippywasm.errors import Frame, Trap

_NO_RESOURCES = "Insufficient resources: "
_NO_MAP = "RuntimeError: Wasmer VM out of memory"
"""Where a thread needs one for its signals, before it runs its first guest; guests that can't grow get -1."""
_WRONG_RESULT = "Dynamic function returned wrong signature"
_FRAME = re.compile(r"    at (.*) \((.*)\[(\d+)\]:0x([0-9a-f]+)\)", re.DOTALL)
_NOWHERE = 0xFFFFFFFF
"""The offset of code that stands for none of the module's, such as that which looks whether there is stack left."""

_CODES = (
    traps.UNREACHABLE,
    traps.DIVIDE_BY_ZERO,
    traps.INTEGER_OVERFLOW,
    traps.BAD_CONVERSION,
    traps.MEMORY_BOUNDS,
    traps.TABLE_BOUNDS,
    traps.UNINITIALIZED,
    traps.SIGNATURE,
    traps.STACK,
    traps.UNALIGNED_ATOMIC,
)


def guest_failure(error: BaseException, origins: Mapping[str, Origin] = MappingProxyType({})) -> BaseException:
    """The exception for `error`, which no host function raised; `origins` has modules that were rewritten, by mark."""
    if type(error) is RuntimeError:
        message = str(error.args[0]) if error.args else ""
        if lacks_room(error):
            return exhausted("another guest")
        return TypeError(message) if _WRONG_RESULT in message[:100] else parse_trap(message, origins)
    return unless_panic(error)


def lacks_room(error: BaseException) -> bool:
    """Whether wasmer says that there are no memory maps or address space left, where it does not panic."""
    message = str(error)
    if type(error) is not RuntimeError:
        return False
    return message.startswith(_NO_MAP) or (message.startswith(_NO_RESOURCES) and is_exhausted(message))


def parse_trap(message: str, origins: Mapping[str, Origin] = MappingProxyType({})) -> Trap:
    """wasmer's text of a trap."""
    headline, *lines = message.split("\n", MAX_FRAMES + 1)[: MAX_FRAMES + 1]
    headline = headline.removeprefix("RuntimeError: ")
    frames = [original(frame, origins) for frame in map(_frame, lines) if frame is not None]
    return make_trap(_code(headline), frames, headline)


def _code(headline: str) -> str:
    return next((code for code in _CODES if code in headline), traps.OTHER)


def _frame(line: str) -> Frame | None:
    found = _FRAME.fullmatch(line)
    if found is None:
        return None
    function, module, index, place = found.groups()
    offset = int(place, 16)
    return Frame(
        None if module == "<module>" else module,
        None if function == "<unnamed>" else function,
        int(index),
        0 if offset == _NOWHERE else offset,
    )
