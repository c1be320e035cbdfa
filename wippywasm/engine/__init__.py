"""Core wasm → running instances: a port (`port.py`), an adapter for each engine, and the choice between them.

In: core module bytes, host callables. Out: `Engine` objects; see `port` for what they do.

wasmer is the default wherever it can be imported, which is CPython before 3.11; wasmtime runs everywhere. Importing
this package loads neither.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

from wippywasm.dataclass import dataclass
from wippywasm.engine.port import Engine
from wippywasm.errors import NotFoundError, UnavailableError

__all__ = ["EngineInfo", "available", "default_name", "get", "wat2wasm"]


@dataclass(frozen=True)
class EngineInfo:
    """An engine this package knows; `why` says why it is the default, may be chosen, or can't be used."""

    name: str
    version: str
    features: frozenset[str]
    usable: bool
    default: bool
    why: str


_lock = threading.Lock()
_engines: dict[str, Engine] = {}


def get(name: str | None = None) -> Engine:
    """The engine of that name, one per process; without a name the default.

    Raises `NotFoundError` for a name nobody knows, `UnavailableError` for an engine that can't run here.
    """
    chosen = name or default_name()
    if chosen not in _LOADERS:
        from difflib import get_close_matches

        near = get_close_matches(chosen, _LOADERS, 1)
        known = " or ".join(_LOADERS)
        raise NotFoundError(
            f"no engine is named {chosen!r}", hint=f"did you mean {near[0]}?" if near else f"use {known}"
        )
    with _lock:
        if chosen not in _engines:
            _engines[chosen] = _LOADERS[chosen]()
        return _engines[chosen]


def available() -> list[EngineInfo]:
    """Every engine this package knows, the default first."""
    default = default_name()
    return sorted((_describe(name, default) for name in _LOADERS), key=lambda info: not info.default)


def wat2wasm(text: str, path: str | None = None) -> bytes:
    """WebAssembly text of a module or component (read from `path`) → bytes. Raises `WatSyntaxError` with the place."""
    from wippywasm.engine import wat

    return wat.wat2wasm(text, path)


def default_name() -> str:
    """The engine that is used where nobody chooses one."""
    return "wasmtime" if _wasmer_problem() else "wasmer"


def _wasmer_problem() -> str | None:
    """Why wasmer can't be used, or None. On newer CPythons its package installs as one that fails at import."""
    if sys.version_info >= (3, 11):
        return f"wasmer runs on CPython before 3.11 only, this is {sys.version_info.major}.{sys.version_info.minor}"
    try:
        import wasmer  # noqa: F401
        import wasmer_compiler_cranelift  # noqa: F401
    except ImportError as error:
        return f"wasmer can't be imported: {error}"
    return None


def _load_wasmer() -> Engine:
    problem = _wasmer_problem()
    if problem:
        raise UnavailableError(problem, hint="use --engine wasmtime")
    from wippywasm.engine.wasmer_engine import WasmerEngine

    return WasmerEngine()


def _load_wasmtime() -> Engine:
    from wippywasm.engine.wasmtime_engine import WasmtimeEngine

    return WasmtimeEngine()


_LOADERS: dict[str, Callable[[], Engine]] = {"wasmer": _load_wasmer, "wasmtime": _load_wasmtime}


def _describe(name: str, default: str) -> EngineInfo:
    try:
        engine = get(name)
    except UnavailableError as error:
        return EngineInfo(name, "", frozenset(), usable=False, default=False, why=error.message)
    why = "can be chosen with --engine"
    if name == default:
        why = "the default where it can be imported" if name == "wasmer" else _wasmer_problem() or ""
    return EngineInfo(name, engine.version, engine.features, usable=True, default=name == default, why=why)
