"""WebAssembly text → bytes, of core modules and components.

In: text, and the path it was read from. Out: the binary, or `WatSyntaxError` with path, line and column.
wasmtime's own translator does the work.
Spec: WebAssembly core, `text`; component-model `Explainer.md`.
"""

from __future__ import annotations

import re

import wasmtime

from wippywasm.engine.wat_names import unresolved_name
from wippywasm.errors import WatSyntaxError

_PLACE = re.compile(r"(?:--> .*?| at <anon>):(\d+):(\d+)\s*$", re.MULTILINE)


def wat2wasm(text: str, path: str | None = None) -> bytes:
    """The binary of a text module or component; it is not validated. Raises `WatSyntaxError`."""
    name = unresolved_name(text)
    if name is not None:
        headline = f"{name.group()} is a name where the text parser takes only indices: write the type's index"
        raise _syntax_error(f"{headline}\n{_place(text, name.start())}", path)
    try:
        return bytes(wasmtime.wat2wasm(text))
    except wasmtime.WasmtimeError as error:
        raise _syntax_error(str(error), path) from None
    except UnicodeEncodeError as error:
        message = f"{text[error.start]!r} is half of a surrogate pair"
        raise _syntax_error(f"{message}\n{_place(text, error.start)}", path) from None


def _place(text: str, at: int) -> str:
    """The line that says where a position is, as the parser writes it."""
    line = text.count("\n", 0, at) + 1
    column = at - text.rfind("\n", 0, at)
    return f"--> text:{line}:{column}"


def _syntax_error(message: str, path: str | None) -> WatSyntaxError:
    headline = _PLACE.sub("", message.strip().splitlines()[0]).strip()
    place = _PLACE.search(message)
    if place is None:
        return WatSyntaxError(headline if path is None else f"{path}: {headline}")
    line, column = int(place.group(1)), int(place.group(2))
    excerpt = message[place.end() :].rstrip()
    where = f"line {line}, column {column}" if path is None else f"{path}:{line}:{column}"
    error = WatSyntaxError(f"{where}: {headline}{excerpt}")
    error.details.update(line=line, column=column)
    return error
