"""Core module bytes → compiled module, once per binary: shared in memory, kept on disk.

In: bytes, and a `Backend` that compiles, serialises and deserialises. Out: the backend's module.
Threads that ask for the same binary at the same time wait for one compilation.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar

from wippywasm.binary import core_module
from wippywasm.binary.core_module import CoreModuleInfo
from wippywasm.engine.cache import DiskCache, default_directory, entry_key

M = TypeVar("M")


class Backend(Protocol[M]):
    """What an engine adds to the common way of compiling."""

    @property
    def settings(self) -> Iterable[str]:
        """Everything besides the binary and the machine that compiled code depends on."""
        ...

    def build(self, wasm: bytes, info: CoreModuleInfo) -> M: ...
    def serialize(self, module: M) -> bytes: ...
    def deserialize(self, code: bytes, info: CoreModuleInfo) -> M | None:
        """The module out of what `serialize` gave; None where the engine refuses it."""
        ...


class Compiler(Generic[M]):
    """Compiles through the memory of this process and the cache on disk."""

    def __init__(self, backend: Backend[M]) -> None:
        self._backend = backend
        self._lock = threading.Lock()
        self._modules: weakref.WeakValueDictionary[str, M] = weakref.WeakValueDictionary()
        self._pending: dict[str, threading.Lock] = {}

    def compile(self, wasm: bytes | memoryview, info: CoreModuleInfo | None = None) -> M:
        """The module of these bytes, of which `info` is the outside where somebody has read it.

        Raises `MalformedError`, `ValidationError` or `UnsupportedFeatureError`.
        """
        data = bytes(wasm)
        key = entry_key(data, self._backend.settings)
        with self._lock:
            module = self._modules.get(key)
            if module is not None:
                return module
            turn = self._pending.setdefault(key, threading.Lock())
        with turn:
            return self._modules.get(key) or self._finish(key, data, info)

    def _finish(self, key: str, data: bytes, info: CoreModuleInfo | None) -> M:
        try:
            module = self._modules[key] = self._load_or_build(key, data, info or core_module.parse(data))
        finally:
            self._pending.pop(key, None)
        return module

    def _load_or_build(self, key: str, data: bytes, info: CoreModuleInfo) -> M:
        directory = default_directory()
        if directory is None:
            return self._backend.build(data, info)
        disk = DiskCache(directory)
        code = disk.load(key)
        module = self._backend.deserialize(code, info) if code is not None else None
        if module is None:
            module = self._backend.build(data, info)
            disk.store(key, self._backend.serialize(module))
        return module
