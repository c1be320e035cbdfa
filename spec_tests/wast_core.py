"""Core modules in `.wast` files, straight through the engine's port.

In: bytes, instances that were registered. Out: a `CoreGuest` that takes the actions of the file.
Spec: the script format of the WebAssembly test suite's interpreter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wippywasm.engine.port import CoreFunc, CoreGlobal, CoreInstance, CoreItem, Engine, Store
from wippywasm.errors import LinkError


class CoreGuest:
    """An instance of a core module, with the store that it lives in."""

    def __init__(self, store: Store, instance: CoreInstance, owns_store: bool) -> None:
        self.store = store
        self.instance = instance
        self._owns_store = owns_store

    def close(self) -> None:
        if self._owns_store:
            self.store.close()

    def act(self, kind: str, name: str, args: Sequence[Any]) -> list[Any]:
        """Call a function or read a global; the results as a list."""
        item = self.instance.export(name)
        if kind == "get":
            assert isinstance(item, CoreGlobal)
            return [item.get()]
        assert isinstance(item, CoreFunc)
        result = item.call(*args)
        if result is None:
            return []
        return list(result) if isinstance(result, tuple) else [result]


def instantiate_core(engine: Engine, wasm: bytes, registered: Mapping[str, object]) -> CoreGuest:
    """Instantiate a core module; its imports come from the core instances that are registered."""
    module = engine.compile(wasm)
    others = {name: guest for name, guest in registered.items() if isinstance(guest, CoreGuest)}
    store = next((guest.store for guest in others.values()), None)
    owned = store is None
    store = store or engine.new_store()
    imports = [_find(others, wanted.module, wanted.name) for wanted in module.imports]
    return CoreGuest(store, store.instantiate(module, imports), owned)


def _find(others: Mapping[str, CoreGuest], module: str, name: str) -> CoreItem:
    if module not in others:
        raise LinkError(f"unknown import: no instance is registered as {module!r}", f"{module}.{name}")
    try:
        return others[module].instance.export(name)
    except KeyError:
        raise LinkError(f"unknown import: {module!r} exports no {name!r}", f"{module}.{name}") from None
