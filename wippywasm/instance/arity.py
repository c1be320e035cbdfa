"""Whether a Python callable takes as many arguments as a WIT function has, known before anything runs.

In: a callable and a count. Out: yes or no, with the callable's own words.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import FunctionType, MethodType
from typing import Any

_VARARGS = inspect.CO_VARARGS


def accepts(function: Callable[..., Any], count: int) -> bool:
    """Whether `function` can be called with `count` positional arguments; True where Python can't tell."""
    bound = 0
    if isinstance(function, MethodType):  # which has the attributes of its function, `__wrapped__` among them
        bound, function = 1, function.__func__
    function = getattr(function, "__wrapped__", function)
    if isinstance(function, MethodType):
        bound, function = bound + 1, function.__func__
    if isinstance(function, FunctionType):
        return _plain_accepts(function, count + bound)
    try:
        inspect.signature(function).bind(*[None] * (count + bound))
    except TypeError:
        return False
    except ValueError:
        return True
    return True


def _plain_accepts(function: FunctionType, count: int) -> bool:
    code = function.__code__
    required = code.co_argcount - len(function.__defaults__ or ())
    keywords = code.co_kwonlyargcount - len(function.__kwdefaults__ or ())
    return keywords == 0 and required <= count and (count <= code.co_argcount or bool(code.co_flags & _VARARGS))


def signature_text(function: Callable[..., Any]) -> str:
    """The callable's parameters as written, or its name."""
    try:
        return str(inspect.signature(function))
    except (ValueError, TypeError):
        return getattr(function, "__name__", repr(function))
