"""An engine without wasm, for tests of other rooms: a module is a Python object, an instance is what it makes.

In: a `FakeModule`: imports, exports, and a function from the imported items to the exported ones. Out: objects of the
port over Python callables, bytearrays and lists. It has no features, compiles no bytes, and ignores limits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Any

from wippywasm.binary.core_module import CoreModuleInfo
from wippywasm.core import CoreExport, CoreFuncType, CoreGlobalType, CoreImport, CoreMemoryType, CoreTableType, Limits
from wippywasm.dataclass import dataclass
from wippywasm.engine import linking
from wippywasm.engine.port import CoreCallable, CoreItem, Module, StoreLimits
from wippywasm.engine.traps import TABLE_BOUNDS, make_trap
from wippywasm.errors import InvalidError, UnavailableError, UnsupportedFeatureError

PAGE = 1 << 16


@dataclass
class FakeFunc:
    type: CoreFuncType
    call: CoreCallable


class FakeMemory:
    """A bytearray that grows by being replaced, so that a view kept across a growth is stale, as on a real engine."""

    def __init__(self, pages: int = 1, maximum: int | None = None) -> None:
        self.type = CoreMemoryType(Limits(pages, maximum))
        self._data = bytearray(pages * PAGE)

    def view(self) -> memoryview:
        return memoryview(self._data)

    def size(self) -> int:
        return len(self._data) // PAGE

    def grow(self, pages: int) -> int:
        before = self.size()
        maximum = self.type.limits.maximum
        if maximum is not None and before + pages > maximum:
            return -1
        self._data = self._data + bytes(pages * PAGE)
        return before


@dataclass
class FakeTable:
    functions: list[FakeFunc | None] = field(default_factory=list)

    @property
    def type(self) -> CoreTableType:
        return CoreTableType("funcref", Limits(len(self.functions)))

    def size(self) -> int:
        return len(self.functions)

    def get(self, index: int) -> FakeFunc | None:
        if not 0 <= index < len(self.functions):
            raise make_trap(TABLE_BOUNDS)
        return self.functions[index]


@dataclass
class FakeGlobal:
    type: CoreGlobalType
    value: Any = 0

    def get(self) -> Any:
        return self.value

    def set(self, value: Any) -> None:
        if not self.type.mutable:
            raise InvalidError("the global is constant")
        self.value = value


@dataclass
class FakeModule:
    """`instantiate` gets the imported items in order and gives the exports by name."""

    instantiate: Callable[[Sequence[CoreItem]], Mapping[str, CoreItem]]
    imports: tuple[CoreImport, ...] = ()
    exports: tuple[CoreExport, ...] = ()


class FakeInstance:
    def __init__(self, exports: Mapping[str, CoreItem]) -> None:
        self._exports = exports

    def export(self, name: str) -> CoreItem:
        return self._exports[name]


class FakeEngine:
    """Modules are registered under the bytes that stand for them."""

    name = "fake"
    version = "0"
    features: frozenset[str] = frozenset()
    thread_bound = False

    def __init__(self, modules: Mapping[bytes, FakeModule] | None = None) -> None:
        self.modules = dict(modules or {})

    def compile(self, wasm: bytes | memoryview, info: CoreModuleInfo | None = None) -> FakeModule:
        module = self.modules.get(bytes(wasm))
        if module is None:
            raise UnsupportedFeatureError("an engine that runs wasm", self.name)
        return module

    def prepare(self, module: Module, limits: StoreLimits) -> None:
        """Nothing: there is no code."""

    def new_store(self, limits: StoreLimits = StoreLimits()) -> FakeStore:  # noqa: B008 (immutable)
        return FakeStore(self)


class FakeStore:
    def __init__(self, engine: FakeEngine) -> None:
        self.engine = engine
        self._closed = False

    def instantiate(self, module: Module, imports: Sequence[CoreItem]) -> FakeInstance:
        self._check()
        assert isinstance(module, FakeModule)
        linking.check_count(module.imports, imports)
        return FakeInstance(module.instantiate(imports))

    def host_func(self, type: CoreFuncType, function: CoreCallable, name: str = "") -> FakeFunc:
        self._check()

        def call(*arguments: Any) -> Any:
            self._check()
            return function(*arguments)

        return FakeFunc(type, call)

    def close(self) -> None:
        self._closed = True

    def _check(self) -> None:
        if self._closed:
            raise UnavailableError("the store is closed")
