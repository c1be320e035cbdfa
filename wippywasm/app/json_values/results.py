"""What functions give, as JSON: results and their own errors.

In: a result or a `WitError`, and the signature where there is one. Out: a JSON value.
"""

from __future__ import annotations

from typing import Any

from wippywasm.app.json_values.to_json import value_to_json
from wippywasm.app.json_values.untyped import untyped_to_json
from wippywasm.errors import WitError
from wippywasm.model import FuncType, ResultType, ValType


def result_json(signature: FuncType | None, result: Any) -> Any:
    """A result as JSON: the good half of a `result`, or the whole."""
    if signature is None:
        return untyped_to_json(result)
    return value_to_json(ok_type(signature), result)


def error_json(signature: FuncType | None, error: WitError) -> Any:
    """The function's own error as JSON."""
    half = err_type(signature) if signature is not None else None
    return untyped_to_json(error.payload) if half is None else value_to_json(half, error.payload)


def ok_type(signature: FuncType) -> ValType | None:
    """The type of what a call returns where it succeeds; None where that is nothing."""
    return _half(signature, "ok")


def err_type(signature: FuncType) -> ValType | None:
    """The type of a function's own error: that of a `result`'s bad half."""
    return _half(signature, "err")


def _half(signature: FuncType, name: str) -> ValType | None:
    result = signature.result
    half: ValType | None = getattr(result, name) if isinstance(result, ResultType) else result
    return half
