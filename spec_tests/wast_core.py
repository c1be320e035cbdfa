"""Core modules in `.wast` files, straight through the engine's port.

In: bytes, instances that were registered. Out: a `CoreGuest` that takes the actions of the file.
Spec: the script format of the WebAssembly test suite's interpreter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from spec_tests.wast_bridge import BRIDGED, bridge, from_port, to_port
from spec_tests.wast_host import SPECTEST
from spec_tests.wast_values import NoWay
from wippywasm.core import CoreFuncType
from wippywasm.engine import wat2wasm
from wippywasm.engine.port import CoreFunc, CoreGlobal, CoreInstance, CoreItem, Engine, Store
from wippywasm.errors import LinkError, NotFoundError

SPECTEST_NAME = "spectest"


class CoreGuest:
    """An instance of a core module. It takes and gives values as their bits: see `wast_bridge`."""

    def __init__(self, world: CoreWorld, instance: CoreInstance) -> None:
        self.world = world
        self.instance = instance
        self._bridges: dict[str, CoreFunc] = {}

    def type_of(self, kind: str, name: str) -> CoreFuncType:
        """What an action takes and gives; `get` is a call without arguments."""
        item = self._item(name)
        if kind == "get" and isinstance(item, CoreGlobal):
            return CoreFuncType((), (item.type.value,))
        if kind == "invoke" and isinstance(item, CoreFunc):
            return item.type
        raise NotFoundError(f"the export {name!r} is not a {'global' if kind == 'get' else 'function'}")

    def act(self, kind: str, name: str, args: Sequence[int]) -> list[int]:
        """Call a function or read a global."""
        type = self.type_of(kind, name)
        if name not in self._bridges:
            self._bridges[name] = self.world.bridged(self._item(name), type)
        result = self._bridges[name].call(*to_port(args, type.params))
        return from_port(result if isinstance(result, tuple) else (result,) if type.results else (), type.results)

    def _item(self, name: str) -> CoreItem:
        try:
            return self.instance.export(name)
        except KeyError:
            raise NotFoundError(f"there is no export {name!r}") from None


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
        return CoreGuest(self, self.store().instantiate(module, imports))

    def bridged(self, item: CoreItem, type: CoreFuncType) -> CoreFunc:
        """A function that takes and gives integers only: `item` itself, or the bridge to it."""
        types = {*type.params, *type.results}
        if isinstance(item, CoreFunc) and types <= {"i32", "i64"}:
            return item
        if types - BRIDGED:
            raise NoWay(f"values of type {', '.join(sorted(types - BRIDGED))} do not pass the engine port")
        module = self.engine.compile(wat2wasm(bridge(item, type)))
        made = self.store().instantiate(module, [item]).export("")
        assert isinstance(made, CoreFunc)
        return made

    def store(self) -> Store:
        if self._store is None:
            self._store = self.engine.new_store()
        return self._store

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
