"""What is made once for a function type, and kept no longer than the Python classes in it are wanted elsewhere.

In: functions of function types. Out: the same functions, with a memory. A cache of the last results serves types
without classes: the next component that has them finds code for them, even if no other is loaded any more. It must not
keep classes, such as those of a module that a program loads anew: types with classes keep what was made for them. So
do types whose code is dense, of which there may be much.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, TypeVar, cast

from wippywasm.abi.bounds import is_dense
from wippywasm.abi.by_type import by_type, memory_of
from wippywasm.abi.classes import is_class
from wippywasm.abi.parts import contains, types_of
from wippywasm.model import FuncType

F = TypeVar("F", bound=Callable[..., Any])


def of_functions(size: int) -> Callable[[F], F]:
    """Remember what is made of function types, or of shapes, whose `type` is one: the last `size` small ones."""

    def decorate(function: F) -> F:
        shared = lru_cache(size)(function)

        @wraps(function)
        def found(key: Any, *others: Any) -> Any:
            t: FuncType = getattr(key, "type", key)
            if _is_shared(t):
                return shared(key, *others)
            memory, at = memory_of(t), (function, key, *others)
            if at not in memory:
                memory[at] = function(key, *others)
            return memory[at]

        return cast(F, found)

    return decorate


@by_type
def _is_shared(t: FuncType) -> bool:
    return not is_dense(types_of(t)) and not contains(types_of(t), is_class)
