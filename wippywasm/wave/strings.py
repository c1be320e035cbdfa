"""Chars and strings: what is between quotes, and back.

In: the text between the quotes, or the value. Out: the value, or text with quotes. `Broken` says what is wrong and
where in the text.

Spec: WAVE, "Chars", "Strings", "Multiline Strings".
"""

from __future__ import annotations

import re

_ESCAPES = {"'": "'", '"': '"', "\\": "\\", "t": "\t", "n": "\n", "r": "\r"}
_NAMED = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_ESCAPE = re.compile(r"\\(?:u\{([0-9A-Fa-f]{1,6})\}|(.))?", re.DOTALL)


class Broken(Exception):
    """What is wrong; `offset` counts from the start of the text that was read."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


def unescaped(text: str) -> str:
    """The text with its escapes replaced."""
    return _ESCAPE.sub(_character, text)


def _character(found: re.Match[str]) -> str:
    digits, letter = found.groups()
    if digits is not None:
        code = int(digits, 16)
        if code > 0x10FFFF or 0xD800 <= code < 0xE000:
            raise Broken(f"there is no character U+{code:X}", found.start())
        return chr(code)
    if letter not in _ESCAPES:
        raise Broken(f"there is no escape {found.group()!r}", found.start())
    return _ESCAPES[letter]


def dedented(text: str) -> str:
    """The value of a multiline string: `text` is all between the triple quotes."""
    first = re.match(r"\r?\n", text)
    if first is None:
        raise Broken("a line ends after the opening quotes of a multiline string", 0)
    last = re.search(r"\r?\n( *)\Z", text)
    if last is None:
        raise Broken("the closing quotes of a multiline string stand on a line of their own", len(text))
    if last.start() < first.end():
        return ""
    indent = last.group(1)
    lines, offset = [], first.end()
    for line in text[first.end() : last.start()].split("\n"):
        if not line.startswith(indent) and line.strip("\r"):
            raise Broken(f"this line is indented less than the closing quotes, by {len(indent)} spaces", offset)
        lines.append(_line(line.removesuffix("\r")[len(indent) :], offset + len(indent)))
        offset += len(line) + 1
    return "\n".join(lines)


def _line(text: str, offset: int) -> str:
    try:
        return unescaped(text)
    except Broken as error:
        raise Broken(error.message, error.offset + offset) from None


def quoted(text: str, quote: str) -> str:
    """The text between quotes, with everything escaped that has to be, and what does not print."""
    return f"{quote}{''.join(_escaped(c, quote) for c in text)}{quote}"


def _escaped(c: str, quote: str) -> str:
    if c == quote:
        return f"\\{c}"
    return _NAMED.get(c) or (c if c.isprintable() else f"\\u{{{ord(c):x}}}")
