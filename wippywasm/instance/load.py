"""Whatever a user has of a module to a `Component`.

In: a path, bytes, or WebAssembly text; WIT for a core module. Out: a validated, planned `Component`.

Spec: SPEC section 14; `Binary.md` (preamble).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from wippywasm import engine as engines
from wippywasm.binary import core_module, decode, sniff
from wippywasm.engine.port import Engine
from wippywasm.errors import BinaryError, InvalidError, NotFoundError
from wippywasm.instance.component import Component
from wippywasm.instance.signatures import check_signatures
from wippywasm.plan import Closure, plan_component, plan_core_module

if TYPE_CHECKING:
    from wippywasm.wit import Signatures

MAGIC = b"\0asm"


def load(
    source: str | bytes | bytearray | memoryview | os.PathLike[str],
    *,
    wit: str | os.PathLike[str] | None = None,
    engine: str | Engine | None = None,
) -> Component:
    """Read, decode, validate and plan a component or core module.

    `source` is a path (`.wat` files are text), the bytes, or text in parentheses. `wit` is text or the path of a WIT
    file: the signatures of a core module, or what a component's own types are checked against. `engine` is a name
    (`wasmer`, `wasmtime`), or None for the default. Raises NotFoundError for a file or engine that is not there,
    MalformedError, ValidationError, WatSyntaxError, WitDiagnosticsError, and InvalidError where signatures don't fit.
    """
    wasm = read_source(source)
    chosen = engines.get(engine) if engine is None or isinstance(engine, str) else engine
    if not callable(getattr(chosen, "new_store", None)):
        raise InvalidError(f"engine must be the name of an engine or one of wippywasm.engine.get, not {engine!r}")
    signatures = None if wit is None else read_signatures(wit)
    try:
        return _planned(wasm, signatures, chosen)
    except BinaryError as error:
        path = _path(source)
        raise error if path is None else error.of_file(str(path)) from None


def _planned(wasm: bytes | memoryview, signatures: Signatures | None, chosen: Engine) -> Component:
    if sniff(wasm) == "module":
        return Component(wasm, plan_core_module(core_module.parse(wasm), wasm, signatures), chosen)
    decoded = Closure(decode(wasm), None)
    component = Component(wasm, plan_component(decoded), chosen, decoded)
    if signatures is not None:
        check_signatures(component.functions, signatures)
    return component


def read_source(source: str | bytes | bytearray | memoryview | os.PathLike[str]) -> bytes | memoryview:
    """The binary behind a path, bytes or text."""
    if isinstance(source, bytes | memoryview):
        return source
    if isinstance(source, bytearray):
        return bytes(source)
    if not isinstance(source, str | os.PathLike):
        raise InvalidError(f"a module is loaded from a path, from bytes or from text, not from {source!r}")
    path = _path(source)
    if path is None:
        return engines.wat2wasm(str(source))
    data = read_file(path)
    if data.startswith(MAGIC):
        return data
    text = text_of(data)
    return data if text is None or not is_wat(text) else engines.wat2wasm(text, str(path))


def _path(source: str | bytes | bytearray | memoryview | os.PathLike[str]) -> Path | None:
    """None where the source is bytes or text itself."""
    if isinstance(source, os.PathLike):
        return Path(source)
    return Path(source) if isinstance(source, str) and not is_wat(source) else None


def is_wat(text: str) -> bool:
    """Whether a string is WebAssembly text, not a path: it starts with a parenthesis or a comment."""
    return text.lstrip().startswith(("(", ";;"))


def read_signatures(wit: str | os.PathLike[str]) -> Signatures:
    """The signatures in WIT text, or in the file of that path; a string is a path if such a file exists."""
    if not isinstance(wit, str | os.PathLike):
        raise InvalidError(f"wit must be the text or the path of WIT, not {wit!r}")
    from wippywasm.wit import parse_signatures  # a component needs no parser

    if isinstance(wit, str) and ("\n" in wit or not wit.endswith(".wit") or not Path(wit).is_file()):
        return parse_signatures(wit)
    text = text_of(read_file(Path(wit)))
    if text is None:
        raise InvalidError(f"{os.fspath(wit)} is not UTF-8 text")
    return parse_signatures(text, os.fspath(wit))


def read_file(path: Path) -> bytes:
    """The bytes of a file; raises NotFoundError or InvalidError for one that can't be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise NotFoundError(f"there is no file {os.fspath(path)!r}", hint=f"looked in {Path.cwd()}") from None
    except OSError as error:
        raise InvalidError(f"can't read {os.fspath(path)!r}: {error.strerror}") from error
    except ValueError as error:  # it has a zero byte, or half of a surrogate pair
        hint = "give a binary as bytes, and text with its parentheses"
        raise InvalidError(f"{os.fspath(path)!r} can't be the path of a file: {error}", hint=hint) from None


def text_of(data: bytes) -> str | None:
    """The text of UTF-8, None for other bytes."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None
