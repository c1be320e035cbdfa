"""Little facts about a type, found once and kept by the type itself, for as long as it lives.

In: a function of a type. Out: the same function, with that memory.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])


def memory_of(t: Any) -> dict[Any, Any]:
    """What a type remembers. Nothing in it may lead to a type that this one is part of: that would never be freed."""
    memory: dict[Any, Any] | None = getattr(t, "_remembered", None)
    if memory is None:
        memory = {}
        object.__setattr__(t, "_remembered", memory)  # the type is frozen; not by `__dict__`, as in `layout`
    return memory


def by_type(function: F) -> F:
    """Let each type keep what the function gives for it and other values."""

    @wraps(function)
    def found(t: Any, *others: Any) -> Any:
        memory, key = memory_of(t), (function, *others)
        if key not in memory:
            memory[key] = function(t, *others)
        return memory[key]

    return cast(F, found)
