"""The file that is inspected, read once.

In: a path. Out: the binary and what is known of the file as such; one error for what is neither a binary nor its text.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from wippywasm.binary import sniff
from wippywasm.dataclass import dataclass
from wippywasm.engine import wat2wasm
from wippywasm.errors import InvalidError
from wippywasm.instance.load import MAGIC, is_wat, read_file, text_of


@dataclass(frozen=True)
class File:
    """`wasm` is the binary; `text` the WebAssembly text that it was made of, if it was; `size` that of the file."""

    path: Path
    wasm: bytes
    text: str | None
    size: int
    digest: str

    @property
    def kind(self) -> str:
        """`module` or `component`."""
        return sniff(self.wasm)


def read(path: Path) -> File:
    """Raises NotFoundError, InvalidError, or WatSyntaxError for a text that does not parse."""
    raw = read_file(path)
    text = None
    if not raw.startswith(MAGIC):
        text = text_of(raw)
        if text is None or not is_wat(text):
            raise InvalidError(f"{str(path)!r} is neither WebAssembly nor its text", hint=_hint(path, raw))
    wasm = raw if text is None else wat2wasm(text, str(path))
    return File(path, wasm, text, len(raw), f"sha256:{hashlib.sha256(raw).hexdigest()}")


def _hint(path: Path, raw: bytes) -> str:
    if path.suffix == ".wit" or raw.lstrip().startswith((b"package ", b"interface ", b"world ")):
        return f"for WIT there is 'wippywasm wit {path}'"
    return "a binary starts with the bytes 00 61 73 6d, a text with '('"
