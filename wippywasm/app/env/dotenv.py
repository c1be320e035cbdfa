"""Files of `NAME=value` lines.

In: the text of one. Out: its values; or the text with one value changed, every other line as it was. A line may start
with `export`, `#` starts a comment line, a value in quotes is what they enclose (`\\n`, `\\"`, `\\\\` in double ones).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from wippywasm.errors import InvalidError

_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)")
_ESCAPE = re.compile(r"\\(.)")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=-]*")


def parse(text: str) -> Mapping[str, str]:
    """The values of a file; of a name given twice the last."""
    found = (_LINE.fullmatch(line) for line in _lines(text))
    return {match[1]: _value(match[2].strip()) for match in found if match is not None}


def with_value(text: str, name: str, value: str) -> str:
    """The text with `name` set to `value`, in the place where it was or at the end; raises InvalidError for NUL."""
    if "\0" in value:
        raise InvalidError(f"the value of {name} has a NUL character, which no environment can hold")
    lines, line = _lines(text), f"{name}={_quoted(value)}"
    places = [i for i, old in enumerate(lines) if (match := _LINE.fullmatch(old)) is not None and match[1] == name]
    if places:
        lines[places[-1]] = line
    else:
        lines.append(line)
    return "\n".join(lines) + "\n"


def _lines(text: str) -> list[str]:
    """Lines end with a newline, and with nothing else that Python takes for an end of a line."""
    return [line.rstrip("\r") for line in text.removesuffix("\n").split("\n")] if text else []


def _value(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        inner = text[1:-1]
        return inner if text[0] == "'" else _ESCAPE.sub(lambda m: _ESCAPES.get(m[1], m[1]), inner)
    return text.partition(" #")[0].rstrip()


def _quoted(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    for letter, character in _ESCAPES.items():
        escaped = escaped.replace(character, f"\\{letter}")
    return f'"{escaped}"'
