"""Python names of what WIT names, and generated functions whose parameters have them.

In: kebab-case names; the source of generated functions. Out: snake_case names; the source with its parameters renamed,
and with whatever had those names before renamed out of the way. So arguments may be given by name, and positional ones
cost nothing more.

Spec: SPEC section 5 (`snake_case` for `kebab-case`).
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable, Mapping
from typing import Any

_TOKENS = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|(?<![\w.])[A-Za-z_]\w*\b(?!['"])""")
"""Texts, which are to stay as they are, and names, attributes excepted."""


def aside(name: str) -> str:
    """Another name for something, which no WIT name becomes."""
    return f"{name}__"


def snake(name: str) -> str:
    """The Python name of a kebab-case one: `get-x` is `get_x`, `from` is `from_`."""
    plain = name.replace("-", "_")
    return plain + "_" if keyword.iskeyword(plain) else plain


def names_aside(names: Iterable[str], factory: str) -> dict[str, str]:
    """What is to be called otherwise where parameters have these names, and how. The function `factory` keeps its name,
    which nothing within it uses."""
    return {name: aside(name) for name in names if name != factory}


def rename_parameters(text: str, names: Mapping[str, str], others: Mapping[str, str]) -> str:
    """The source with the parameters `names`, from generated name to Python name, and others out of their way."""
    return _TOKENS.sub(lambda token: names.get(token[0]) or others.get(token[0], token[0]), text)


def move_aside(namespace: dict[str, Any], others: Mapping[str, str]) -> None:
    """Give what a module has, or Python itself, the names also that renamed source calls it by."""
    known = vars(builtins) | namespace
    namespace.update({new: known[name] for name, new in others.items() if name in known})
