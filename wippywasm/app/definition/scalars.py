"""What a plain YAML scalar stands for.

In: its text. Out: None, a bool, a number, or the text.
Spec: YAML 1.2 core schema; so `yes`, `on` and `12:30` are text, as in Wippy.
"""

from __future__ import annotations

import re

from wippywasm.app.definition.node import Scalar

_INT = re.compile(r"[-+]?[0-9]{1,40}")
_BASED = re.compile(r"0o[0-7]{1,40}|0x[0-9a-fA-F]{1,40}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Scalar] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}


def resolve(text: str) -> Scalar:
    """The value that a plain scalar stands for."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    if _BASED.fullmatch(text):
        return int(text, 0)
    if len(text) <= 100 and _FLOAT.fullmatch(text):
        return float(text)
    return text


def resolve_tagged(tag: str, text: str) -> Scalar:
    """The value of a scalar with a `!!type` tag; ValueError where tag and text do not fit."""
    if tag in ("!", "tag:yaml.org,2002:str"):
        return text
    value = resolve(text)
    wanted = {"int": (int,), "float": (float, int), "bool": (bool,), "null": (type(None),)}.get(tag.rpartition(":")[2])
    if wanted is None or not tag.startswith("tag:yaml.org,2002:"):
        raise ValueError(f"the tag '{tag}' is not allowed in a definition file")
    if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
        raise ValueError(f"the tag '{tag}' does not fit {text[:60]!r}")
    return float(value) if float in wanted and isinstance(value, int) else value
