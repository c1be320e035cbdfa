"""Arguments as people type them: JSON or WAVE.

In: a text for each argument, or all of them as one WAVE list, and the function's type. Out: Python values.

A text that is JSON is taken as JSON, and has to fit. Only one that is no JSON at all is read as WAVE. The two write
numbers, `true`, `false`, plain texts and lists alike, so it does not matter there; what WAVE has of its own (`{a: 1}`,
`some(1)`, `red`, `'x'`) is no JSON.

Spec: SPEC sections 5 and 13.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wippywasm.app.json_values.from_json import check_count, value_from_json
from wippywasm.app.json_values.text import parse_json
from wippywasm.errors import InvalidError, WaveSyntaxError
from wippywasm.model import FuncType, ValType, structural_func
from wippywasm.wave import parse_arguments, parse_value


def arguments_from_texts(id: str, type: FuncType | None, texts: Sequence[str]) -> list[Any]:
    """The values for a call; a function without a type, which is Lua, takes JSON. Raises InvalidError."""
    if type is None:
        return [parse_json(text, f"argument {i}") for i, text in enumerate(texts, 1)]
    check_count(id, type, len(texts))
    params = structural_func(type).params
    return [value_from_text(p.type, text, p.name, f"argument {i}") for i, (p, text) in enumerate(zip(params, texts), 1)]


def value_from_text(type: ValType, text: str, name: str, what: str) -> Any:
    """One value; messages call it `name` where it does not fit, `what` where it is neither JSON nor WAVE."""
    try:
        value = parse_json(text, what)
    except InvalidError as error:
        return _from_wave(type, text, name, error, what)
    return value_from_json(type, value, name)


def split_call(text: str) -> tuple[str, str | None]:
    """`ns:name(1, "a")` in its id and what is between the parentheses; None where there are none."""
    id, parenthesis, rest = text.partition("(")
    return (id, rest[:-1]) if parenthesis and rest.endswith(")") else (text, None)


def arguments_of_call(id: str, type: FuncType | None, text: str) -> list[Any]:
    """The values of a call that is written as one WAVE text. Raises InvalidError."""
    if type is None:
        raise InvalidError(
            f"{id} is a Lua function: it has no types to read WAVE by", hint="give each argument as JSON"
        )
    return parse_arguments(text, type)


def _from_wave(type: ValType, text: str, name: str, not_json: InvalidError, what: str) -> Any:
    try:
        return parse_value(text, type, name)
    except WaveSyntaxError as error:
        message = f"{not_json.message}; nor WAVE: {error.message}"
        raise InvalidError(message, hint=not_json.hint, details=error.details) from None
