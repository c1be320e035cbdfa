"""Core modules in text, made into instances: what the tests of this room start from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wippywasm.core import CoreFuncType
from wippywasm.engine import wat2wasm
from wippywasm.engine.port import CoreItem, Engine, Store

NOTHING = CoreFuncType()


def build(store: Store, text: str, imports: Sequence[CoreItem] = ()) -> Any:
    """An instance of the module `text`."""
    return store.instantiate(store.engine.compile(wat2wasm(text)), imports)


def call(instance: Any, name: str, *arguments: Any) -> Any:
    """Call the exported function `name`."""
    return instance.export(name).call(*arguments)


def calling(engine: Engine, text: str, *functions: Any) -> Any:
    """An instance in a store of its own, importing `functions` without parameters and results."""
    store = engine.new_store()
    return build(store, text, [store.host_func(NOTHING, function) for function in functions])
