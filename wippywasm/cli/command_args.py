"""The arguments of a command, from the command line.

In: text. Out: what the function takes: Lua gets text; a wasm function gets text where it wants text, else what the text
says as JSON or WAVE. One that takes a single `list<string>` gets all of it. Spec: SPEC section 13.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wippywasm.app.json_values.from_json import check_count
from wippywasm.app.text_values import value_from_text
from wippywasm.model import STRING, FuncType, ListType, Param, structural_func

_ALL = ListType(STRING)


def command_arguments(name: str, signature: FuncType | None, texts: Sequence[str]) -> list[Any]:
    """The values for a call of the command `name`; raises `InvalidError`."""
    if signature is None:
        return list(texts)
    params = structural_func(signature).params
    if len(params) == 1 and params[0].type is _ALL:
        return [list(texts)]
    check_count(name, signature, len(texts))
    return [_read(p, text) for p, text in zip(params, texts, strict=True)]


def _read(param: Param, text: str) -> Any:
    return text if param.type is STRING else value_from_text(param.type, text, param.name, param.name)
