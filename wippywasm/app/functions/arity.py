"""How many arguments a function is called with.

In: a signature, arguments. Out: an error with the signature where their number is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wippywasm.errors import InvalidError, counted
from wippywasm.model import FuncType


def check_arity(id: str, type: FuncType, args: Sequence[Any]) -> None:
    """Raise `InvalidError` with the signature for a wrong number of arguments."""
    count = len(type.params)
    if len(args) != count:
        from wippywasm.plan.describe import describe_func

        raise InvalidError(
            f"{id} takes {counted(count, 'argument')}, got {len(args)}", hint=f"it is {describe_func(type)}"
        )
