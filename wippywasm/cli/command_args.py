"""The arguments of a command, from the command line.

In: text. Out: what the function takes: Lua gets text; a wasm function gets text where it wants text, else what the text
says as JSON. One that takes a single `list<string>` gets all of it. Spec: SPEC section 13.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wippywasm.app.json_values.from_json import arguments_from_json
from wippywasm.app.json_values.text import parse_json
from wippywasm.model import STRING, FuncType, ListType, Param, structural_func

_ALL = ListType(STRING)


def command_arguments(name: str, signature: FuncType | None, texts: Sequence[str]) -> list[Any]:
    """The values for a call of the command `name`; raises `InvalidError`."""
    if signature is None:
        return list(texts)
    params = structural_func(signature).params
    if len(params) == 1 and params[0].type is _ALL:
        return [list(texts)]
    if len(texts) != len(params):
        return arguments_from_json(name, signature, texts)
    return arguments_from_json(name, signature, [_read(p, text) for p, text in zip(params, texts, strict=True)])


def _read(param: Param, text: str) -> Any:
    return text if param.type is STRING else parse_json(text, param.name)
