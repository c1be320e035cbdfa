"""What errors hold on to: the variables of all functions that they have been through.

In: an error that a guest's thread hands to another. Out: the same without the parts of the guest.
"""

from __future__ import annotations

import inspect
from contextlib import suppress

_SUSPENDABLE = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


def clear_frames(error: BaseException) -> None:
    """Forget the variables of what has failed: parts of the guest, which only this thread may give back.

    What can be suspended is left alone: the error may have been through tasks, too, and they may still run.
    """
    seen: set[int] = set()
    errors: list[BaseException | None] = [error]
    while errors:
        one = errors.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            _clear_traceback(one)
            errors += [one.__cause__, one.__context__]


def _clear_traceback(error: BaseException) -> None:
    entry = error.__traceback__
    while entry is not None:
        if not entry.tb_frame.f_code.co_flags & _SUSPENDABLE:
            with suppress(RuntimeError, SystemError):  # it still runs; a part panicked as it went
                entry.tb_frame.clear()
        entry = entry.tb_next
