"""The port every engine adapter implements: core wasm in, callable instances out.

In: core module bytes, host callables. Out: compiled modules, stores, instances and their exports.

Values cross the port as plain Python numbers: `i32` and `i64` are *signed* in both directions (the canonical ABI
masks where it wants unsigned), `f32` and `f64` are floats. A function with one result returns it bare, with none
returns None, with several a tuple. References other than null do not cross.

A host callable may raise anything, `BaseException` included: the engine unwinds the guest as a trap and the caller of
the guest gets that very exception object. A guest's own trap comes out as `errors.Trap`.

A `Store` and all that came from it belong to the thread that made it, unless the adapter's `thread_bound` is False,
in which case they may move between threads but never be used by two at once. An `Engine` and a `Module` may be shared.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeAlias, runtime_checkable

from wippywasm.binary.core_module import CoreModuleInfo
from wippywasm.core import CoreExport, CoreFuncType, CoreGlobalType, CoreImport, CoreMemoryType, CoreTableType
from wippywasm.dataclass import dataclass
from wippywasm.engine.spans import Span

CoreCallable: TypeAlias = Callable[..., Any]
"""Takes core values, gives None, one value, or a tuple of them."""


@dataclass(frozen=True, slots=True)
class StoreLimits:
    """Bounds on each memory and each table of one store; None leaves the engine's own bound.

    `interruptible` says that its guests have to be (`TimedStore`), where that costs something.
    `memory_growth` (bytes) and `table_growth` (elements) are what all of them may grow by together, beyond what they
    begin with; neither is there where the bounds on each will do, since one at most can grow.
    """

    memory_bytes: int | None = None
    table_elements: int | None = None
    interruptible: bool = False
    memory_growth: int | None = None
    table_growth: int | None = None

    @property
    def asks(self) -> bool:
        """Whether modules have to ask before they grow."""
        return self.memory_growth is not None or self.table_growth is not None


MAX_MEMORIES = 1_000
"""What one store may have of them, empty ones too: each takes address space and memory maps of the process."""

MAX_INSTANCES = 10_000
"""What one store of wasmtime's may have of core instances; wasmer has no bound on them, as on tables."""

MAX_TABLES = 10_000

MAX_TABLE_ELEMENTS = 10_000_000
"""What a table may have where no limit says otherwise, on wasmer all that grow together; in browsers it is as many."""

NO_LIMITS = StoreLimits()


class Module(Protocol):
    """A compiled core module; safe to share between stores and threads."""

    @property
    def imports(self) -> tuple[CoreImport, ...]: ...
    @property
    def exports(self) -> tuple[CoreExport, ...]: ...


@runtime_checkable
class CoreFunc(Protocol):
    """A core function of a store. `call` is the fast way in: plain numbers, no checks of their ranges."""

    @property
    def type(self) -> CoreFuncType: ...
    @property
    def call(self) -> CoreCallable: ...


@runtime_checkable
class CoreMemory(Protocol):
    """A linear memory. `view()` is valid only until the guest runs again: never keep one across a call."""

    @property
    def type(self) -> CoreMemoryType: ...
    def view(self) -> memoryview: ...
    def size(self) -> int: ...
    def grow(self, pages: int) -> int: ...


@runtime_checkable
class CoreTable(Protocol):
    """A table, passed from instance to instance; `get` gives a function or None and traps outside its bounds."""

    @property
    def type(self) -> CoreTableType: ...
    def size(self) -> int: ...
    def get(self, index: int) -> CoreFunc | None: ...


@runtime_checkable
class CoreGlobal(Protocol):
    @property
    def type(self) -> CoreGlobalType: ...
    def get(self) -> Any: ...
    def set(self, value: Any) -> None: ...


CoreItem: TypeAlias = CoreFunc | CoreMemory | CoreTable | CoreGlobal
"""What a core instance exports and imports (tags as opaque items where the engine has them)."""


class CoreInstance(Protocol):
    def export(self, name: str) -> CoreItem:
        """The export of that name; KeyError where there is none."""
        ...


class Store(Protocol):
    """What instances live in. Closing it frees them all; using it afterwards raises `UnavailableError`."""

    @property
    def engine(self) -> Engine: ...
    def instantiate(self, module: Module, imports: Sequence[CoreItem]) -> CoreInstance:
        """Instantiate with imports in the module's own order; raises LinkError, Trap, or what the host raised."""
        ...

    def host_func(self, type: CoreFuncType, function: CoreCallable, name: str = "") -> CoreFunc: ...
    def close(self) -> None: ...


class StepwiseFunc(Protocol):
    """A core function whose `call` is a coroutine function: the guest may be suspended in it."""

    @property
    def type(self) -> CoreFuncType: ...
    @property
    def call(self) -> Callable[..., Awaitable[Any]]: ...


class Fibers(Protocol):
    """What suspends the guests of one store. At most one stepwise call of a store is under way."""

    @property
    def on_fiber(self) -> bool:
        """Whether a stepwise call runs now."""
        ...

    @property
    def may_park(self) -> bool:
        """Whether the host function that runs now may suspend its guest."""
        ...

    @property
    def is_slow(self) -> bool:
        """Whether the guest took long of late where it can't be suspended, as in allocations."""
        ...

    @property
    def crowd(self) -> Any:
        """Its `waiting` is above 0 where guests wait for their turn, and one that is to be called should: `start()`."""
        ...

    def begin_coroutine(self) -> Any:
        """Before a coroutine of such a host function is begun: a `calling.Call`, or None, that is over with it."""
        ...

    def park(self, awaitable: Awaitable[Any], finish: CoreCallable, steps: Any = None) -> Any:
        """For a host function of `waiting_func` to return: its guest is suspended until `awaitable` has been awaited,
        by the task of the stepwise call; then `finish` turns its value into the core results, on the guest's stack."""
        ...

    def stepwise(self, func: Any) -> StepwiseFunc:
        """The function for calls by a task. One that is cancelled, or whose awaitable raises, ends its guest there."""
        ...


@runtime_checkable
class FiberStore(Protocol):
    """A store whose guests can be suspended without a thread of their own."""

    @property
    def fibers(self) -> Fibers: ...
    @property
    def pace(self) -> Any:
        """Its `nested` is above 0 where the guest may be `is_slow`."""
        ...

    def waiting_func(self, type: CoreFuncType, function: CoreCallable, name: str = "") -> CoreFunc:
        """`host_func` for a function that may park its guest."""
        ...


@runtime_checkable
class TimedStore(Protocol):
    """A store whose guests can be ended while they run."""

    @property
    def engine(self) -> Engine: ...

    def start_clock(self, span: Span) -> None:
        """Until `stop_clock` this thread's call can be ended, and is when the span is to end. Within another call of
        this thread it has the time of both. Where this raises, `stop_clock` has to be called as well."""
        ...

    def stop_clock(self, span: Span) -> None:
        """The other end of `start_clock`: what other calls have is as if there had been none. May be called again."""
        ...

    @property
    def can_end(self) -> bool:
        """Whether it can end them: where that costs something, only those that were made for it."""
        ...

    @property
    def is_timed(self) -> bool:
        """Whether a clock runs."""
        ...

    def time_left(self) -> tuple[float, BaseException] | None:
        """Seconds until the timeout of this thread's call, and the timeout, where there is one."""
        ...

    def check_clock(self) -> None:
        """Raise what the guest is to end with, where it is: for the host's own work on the guest's values."""
        ...

    def nudge(self) -> None:
        """Have the guest that runs look soon whether its call has ended (`calling`), or one around it; from any thread.
        Whoever runs by then goes on, where that call has not."""
        ...


class Pool(Protocol):
    """A second engine beside one, for few stores at a time: instances in them are made and freed in less time."""

    def adopt(self, module: Any) -> Module | None:
        """The module of the first engine for stores of this one; None where the pool can't hold its instances."""
        ...

    def take_store(self, limits: StoreLimits) -> Store | None:
        """A new store; None where there is no room for one more."""
        ...


class Engine(Protocol):
    """A WebAssembly engine. `features` are the proposals it has, by their names in `engine.features`."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def features(self) -> frozenset[str]: ...
    @property
    def thread_bound(self) -> bool: ...

    def compile(self, wasm: bytes | memoryview, info: CoreModuleInfo | None = None) -> Module:
        """Compile, through the cache; `info` is the outside of the module where somebody has read it already.

        Raises MalformedError, ValidationError or UnsupportedFeatureError.
        """
        ...

    def prepare(self, module: Any, limits: StoreLimits) -> None:
        """Compile now, where it takes long, what a store with these limits will need beyond what `compile` made."""
        ...

    def new_store(self, limits: StoreLimits = ...) -> Store: ...
