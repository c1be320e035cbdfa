"""Core modules in `.wast` files, straight through the engine's port.

In: bytes, instances that were registered. Out: a `CoreGuest` that takes the actions of the file.
Spec: the script format of the WebAssembly test suite's interpreter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from spec_tests.wast_host import SPECTEST
from wippywasm.engine import wat2wasm
from wippywasm.engine.port import CoreFunc, CoreGlobal, CoreInstance, CoreItem, Engine, Store
from wippywasm.errors import LinkError

SPECTEST_NAME = "spectest"


class CoreGuest:
    """An instance of a core module."""

    def __init__(self, instance: CoreInstance) -> None:
        self.instance = instance

    def act(self, kind: str, name: str, args: Sequence[Any]) -> list[Any]:
        """Call a function or read a global; the results as a list. KeyError where nothing of that name is exported."""
        item = self.instance.export(name)
        if kind == "get":
            assert isinstance(item, CoreGlobal)
            return [item.get()]
        assert isinstance(item, CoreFunc)
        result = item.call(*args)
        if not item.type.results:
            return []
        return list(result) if isinstance(result, tuple) else [result]


class CoreWorld:
    """The store in which all core instances of a file live, so that they can import from each other."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._store: Store | None = None
        self._spectest: CoreGuest | None = None

    def close(self) -> None:
        if self._store is not None:
            self._store.close()

    def instantiate(self, wasm: bytes, registered: Mapping[str, object]) -> CoreGuest:
        """Instantiate a module; its imports come from the core instances that are registered, and from `spectest`."""
        module = self.engine.compile(wasm)
        imports = [self._find(registered, wanted.module, wanted.name) for wanted in module.imports]
        if self._store is None:
            self._store = self.engine.new_store()
        return CoreGuest(self._store.instantiate(module, imports))

    def _find(self, registered: Mapping[str, object], module: str, name: str) -> CoreItem:
        place = f"{module}#{name}"
        guest = registered.get(module)
        if guest is None and module == SPECTEST_NAME:
            guest = self.spectest()
        if not isinstance(guest, CoreGuest):
            raise LinkError(f"unknown import: no core instance is registered as {module!r}", place)
        try:
            return guest.instance.export(name)
        except KeyError:
            raise LinkError(f"unknown import: {module!r} exports no {name!r}", place) from None

    def spectest(self) -> CoreGuest:
        """The module of the core test suite that every file may import."""
        if self._spectest is None:
            self._spectest = self.instantiate(wat2wasm(SPECTEST), {})
        return self._spectest
