"""What a function answers, in the form that was asked for.

In: a result or the function's own error, and its type. Out: JSON or WAVE on standard output or standard error.
Spec: SPEC section 13.
"""

from __future__ import annotations

from typing import Any

from wippywasm.app.json_values.results import err_type, error_json, ok_type, result_json
from wippywasm.cli.output import json_line, print_json, print_line, say
from wippywasm.errors import InvalidError, WitError
from wippywasm.model import FuncType
from wippywasm.wave import print_value


def print_result(signature: FuncType | None, result: Any) -> None:
    """A result as JSON: the good half of a `result`, or the whole."""
    print_json(result_json(signature, result))


def say_payload(signature: FuncType | None, error: WitError, *, is_json: bool) -> None:
    """The function's own error on standard error, as JSON; with `is_json` in the form that all errors have then."""
    payload = error_json(signature, error)
    if is_json:
        facts = {"kind": error.kind.value, "message": error.message, "hint": None, "details": {"payload": payload}}
        say(json_line({"error": facts}))
    else:
        say(json_line(payload))


def print_wave(signature: FuncType, result: Any) -> None:
    """A result as WAVE: the good half of a `result`, or the whole."""
    print_line(print_value(result, ok_type(signature)))


def say_wave(signature: FuncType, error: WitError) -> None:
    """The function's own error on standard error, as WAVE."""
    say(print_value(error.payload, err_type(signature)))


def typed(id: str, signature: FuncType | None) -> FuncType:
    """The signature; raises InvalidError for a Lua function, which has none."""
    if signature is None:
        raise InvalidError(f"{id} is a Lua function: it has no types to write WAVE by", hint="leave out --wave")
    return signature
