"""Python names of what WIT names, and generated functions whose parameters have them.

In: kebab-case names; generated source. Out: snake_case names; the source with its parameters renamed, and with whatever
had those names before renamed out of the way. So arguments may be given by name, and positional ones cost nothing more.

Spec: SPEC section 5 (`snake_case` for `kebab-case`).
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Mapping
from typing import Any

_TOKENS = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|(?<![\w.])[A-Za-z_]\w*\b(?!['"])""")
"""Texts, which are to stay as they are, and names, attributes excepted."""

_ASIDE = "__"
"""What makes a name another that no WIT name becomes."""


def snake(name: str) -> str:
    """The Python name of a kebab-case one: `get-x` is `get_x`, `from` is `from_`."""
    plain = name.replace("-", "_")
    return plain + "_" if keyword.iskeyword(plain) else plain


def rename_parameters(
    text: str, constants: Mapping[str, Any], names: Mapping[str, str], factory: str
) -> tuple[str, dict[str, Any]]:
    """The source with the parameters `names`, from generated name to Python name, and the constants it needs then.

    The function `factory` keeps its name, which nothing within it uses.
    """
    aside = {name: name + _ASIDE for name in names.values() if name != factory}
    renamed = _TOKENS.sub(lambda token: names.get(token[0]) or aside.get(token[0], token[0]), text)
    moved = {aside.get(name, name): value for name, value in constants.items()}
    moved |= {new: vars(builtins)[name] for name, new in aside.items() if name in vars(builtins) and new not in moved}
    return renamed, moved
