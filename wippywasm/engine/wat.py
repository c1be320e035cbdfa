"""WebAssembly text → bytes, of core modules and components.

In: text. Out: the binary, or `WatSyntaxError` with line and column. wasmtime's own translator does the work.
Spec: WebAssembly core, `text`; component-model `Explainer.md`.
"""

from __future__ import annotations

import re

import wasmtime

from wippywasm.errors import WatSyntaxError

_PLACE = re.compile(r"--> .*?:(\d+):(\d+)\s*$", re.MULTILINE)


def wat2wasm(text: str) -> bytes:
    """The binary of a text module or component; it is not validated. Raises `WatSyntaxError`."""
    try:
        return bytes(wasmtime.wat2wasm(text))
    except wasmtime.WasmtimeError as error:
        raise _syntax_error(str(error)) from None


def _syntax_error(message: str) -> WatSyntaxError:
    headline = message.strip().splitlines()[0].strip()
    place = _PLACE.search(message)
    if place is None:
        return WatSyntaxError(headline)
    line, column = int(place.group(1)), int(place.group(2))
    excerpt = message[place.end() :].rstrip()
    error = WatSyntaxError(f"line {line}, column {column}: {headline}{excerpt}")
    error.details.update(line=line, column=column)
    return error
