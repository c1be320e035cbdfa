"""A guest's store on wasmer: its instances, and the host functions they may call.

In: compiled modules, host callables. Out: instances, of use in the thread that made the store only; what would make
wasmer panic is refused before.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import wasmer

from wippywasm.calling import around
from wippywasm.core import CoreFuncType, CoreTableType
from wippywasm.engine import linking, rewrite, stacks
from wippywasm.engine.bounds import BoundsOf, too_many
from wippywasm.engine.growth import Allowance
from wippywasm.engine.map_room import MapRoom
from wippywasm.engine.panics import let_go, panic_of
from wippywasm.engine.port import MAX_MEMORIES, CoreCallable, CoreItem, Module, StoreLimits
from wippywasm.engine.recursion import unless_too_deep
from wippywasm.engine.spans import Span, Spans, unbounded
from wippywasm.engine.wasmer_calls import host_entry_factory, is_passable
from wippywasm.engine.wasmer_items import HINT, NAME, Item, WasmerFunc, wrap
from wippywasm.engine.wasmer_loading import WasmerModule, forget_native_store, native_store
from wippywasm.engine.wasmer_shims import shim
from wippywasm.engine.wasmer_ticks import Clock, Unarmed, place
from wippywasm.engine.wasmer_traps import guest_failure, lacks_room
from wippywasm.errors import InvalidError, LinkError, ThreadError, UnavailableError, UnsupportedFeatureError
from wippywasm.threads import here

if TYPE_CHECKING:
    from wippywasm.engine.wasmer_engine import WasmerEngine

PAGE = 1 << 16
_TYPES = {"i32": "I32", "i64": "I64", "f32": "F32", "f64": "F64", "v128": "V128"}


class Running:
    """What a store's host functions leave for its calls: how deep they are nested, and what the last one raised."""

    __slots__ = ("depth", "raised")

    def __init__(self) -> None:
        self.depth = 0
        self.raised: BaseException | None = None


_open: weakref.WeakSet[WasmerStore] = weakref.WeakSet()
_room = MapRoom()


class WasmerStore:
    """The instances of one guest, and the host functions they may call; of use in the thread that made it only."""

    def __init__(self, engine: WasmerEngine, limits: StoreLimits) -> None:
        stacks.require(stacks.LEAST_ON_WASMER)
        _room.check(len(_open))
        self.engine = engine
        self.owner = here.number
        self.items: weakref.WeakSet[Any] = weakref.WeakSet()
        self._limits = limits
        self._native = native_store()
        _open.add(self)
        self._running = Running()
        self._callables: list[CoreCallable] = []
        self._natives: list[Any] = []  # wasmer holds what an instance imports, or has in its tables, weakly
        self._rewrites = limits != StoreLimits()
        self._origins: dict[str, rewrite.Origin] = {}
        self._clock = Clock()
        self._bounds = BoundsOf(limits)
        self.allowance = Allowance(limits, self._bounds.refused)
        self._hosts: list[WasmerFunc] = []
        self._memories = 0
        self._closed = False

    def check(self) -> None:
        """Refuse use after `close` and from another thread."""
        if here.number != self.owner:
            raise self.refusal()

    def refusal(self) -> Exception:
        """Why this store can't be used here."""
        if self._closed:
            return UnavailableError("the store is closed", hint="instantiate the module again")
        return ThreadError("wasmer's instances can be used only in the thread that made them", hint=HINT)

    def instantiate(self, module: Module, imports: Sequence[CoreItem]) -> WasmerInstance:
        try:
            return self._instantiate(module, imports)
        except BaseException as error:  # a panic is no `Exception`
            typed = self._typed(error)
            if typed is error:
                raise
        raise typed

    def _instantiate(self, module: Module, imports: Sequence[CoreItem]) -> WasmerInstance:
        assert isinstance(module, WasmerModule)
        self.check()
        linking.check_count(module.imports, imports)
        self._check_limits(module)
        if not self._rewrites and module.has_start:
            self._refuse_unbounded()
        if not (self._rewrites or module.mixes_tables or module.may_outgrow):
            return self.link(module, imports)
        rewritten = self.engine.rewritten(module)
        if rewritten.origin is not None:
            self._origins[rewritten.origin.mark] = rewritten.origin
        instance = self.link(rewritten, [*imports, *self._new_tables(rewritten.new_tables)])
        place(self, instance.export(rewrite.TABLE), self._placed(len(rewritten.functions)))
        if instance.has(rewrite.START):
            instance.export(rewrite.START).call()
        return instance

    def _refuse_unbounded(self) -> None:
        """Raise UnsupportedFeatureError where something is over some time."""
        outer = around()
        if outer is not None and outer.until() is not None:
            raise unbounded(self.engine.name)

    def _new_tables(self, types: tuple[CoreTableType, ...]) -> list[CoreItem]:
        """New tables; wasmer makes them in instances only."""
        made = self.link(self.engine.compile_own(rewrite.table_module(types)), []) if types else None
        return [made.export(str(k)) for k in range(len(types))] if made else []

    def _placed(self, count: int) -> list[WasmerFunc]:
        """The first of the host's functions that rewritten modules call."""
        if not self._hosts:
            self._hosts.append(self._host_func(rewrite.TICK, self._clock.tick, "tick", Unarmed()))
        if len(self._hosts) < count:
            self._hosts += map(self.host_func, rewrite.FUNCTIONS, self.allowance.functions)
        return self._hosts[:count]

    def link(self, module: WasmerModule, imports: Sequence[Any]) -> WasmerInstance:
        """Instantiate a module as it is."""
        arguments = self._arguments(module, imports)
        try:
            native = wasmer.Instance(self._native.load(module), arguments)
        except BaseException as error:  # noqa: BLE001 (whatever a host function raised in its start function)
            raised = self._refused(module, imports, error)
        else:
            self._natives.append((native, arguments))
            return WasmerInstance(self, module, native)
        raise raised

    def _arguments(self, module: WasmerModule, imports: Sequence[CoreItem]) -> dict[str, dict[str, Any]]:
        """The imports by module and name, which is the only way wasmer takes them; host functions behind shims."""
        arguments: dict[str, dict[str, Any]] = {}
        given: dict[tuple[str, str], CoreItem] = {}
        for wanted, item in zip(module.imports, imports, strict=True):
            if not isinstance(item, Item) or item.store is not self:
                raise linking.foreign(wanted)
            if given.setdefault((wanted.module, wanted.name), item) is not item:
                name = linking.import_name(wanted)
                raise LinkError(f"wasmer can't link two different items to the two imports {name}", name, hint=HINT)
            arguments.setdefault(wanted.module, {})[wanted.name] = item.native
        hosts = [(key, item) for key, item in given.items() if isinstance(item, WasmerFunc) and item.is_host]
        if hosts:
            shims = shim(self.engine.compile_own, self._native, [(item.type, item.native) for _, item in hosts])
            for ((namespace, name), _), native in zip(hosts, shims, strict=True):
                arguments[namespace][name] = native
        return arguments

    def _check_limits(self, module: WasmerModule) -> None:
        """What can be known before it runs; of later growth the rewritten module asks."""
        memory = sum(m.limits.minimum * PAGE for m in module.memories)
        elements = sum(t.limits.minimum for t in module.tables)
        self._memories += len(module.memories)
        if self._memories > MAX_MEMORIES:
            raise too_many("memories", MAX_MEMORIES)
        _check_limit("bytes of memory", memory, self._limits.memory_bytes)
        _check_limit("table elements", elements, self._limits.table_elements)
        self.allowance.begin(memory, elements)

    def _refused(self, module: WasmerModule, imports: Sequence[Any], error: BaseException) -> BaseException:
        message = str(error.args[0]) if error.args else ""
        if error is not self._running.raised and message.startswith("Error while importing"):
            return linking.mismatch(module.imports, [item.type for item in imports], message)
        return self.failure(error)

    def host_func(self, type: CoreFuncType, function: CoreCallable, name: str = "") -> WasmerFunc:
        return self._host_func(type, function, name, self._clock)

    def _host_func(self, type: CoreFuncType, function: CoreCallable, name: str, clock: Clock | Unarmed) -> WasmerFunc:
        self.check()
        if not is_passable(type):
            raise UnsupportedFeatureError("references between guest and host", NAME, hint=HINT)
        held = _referable(function)
        self._callables.append(held)
        entry = host_entry_factory(type)(weakref.ref(held), self._running, clock)
        entry.__qualname__ = name or entry.__qualname__
        native_type = wasmer.FunctionType(_native_types(type.params), _native_types(type.results))
        try:
            native = wasmer.Function(self._native.store, entry, native_type)
        except BaseException as error:  # noqa: BLE001 (a panic is no `Exception`)
            raise self._typed(error) from None
        func = WasmerFunc(self, type, native)
        func.is_host = True
        return func

    # ---- time

    @property
    def spans(self) -> Spans:
        """The calls that have been started."""
        return self._clock.spans

    def start_clock(self, span: Span) -> None:
        """The guest can be ended until `stop_clock`, and is when the span is to end."""
        self._clock.start(span)

    def stop_clock(self, span: Span) -> None:
        """The other end of `start_clock`, also where that has failed."""
        self._clock.stop(span)

    @property
    def can_end(self) -> bool:
        """Whether its modules count."""
        return self._rewrites

    @property
    def is_timed(self) -> bool:
        """Whether a clock runs."""
        return bool(self._clock.spans)

    def time_left(self) -> tuple[float, BaseException] | None:
        """Seconds until the timeout of this thread's call, and the timeout, where there is one."""
        return self._clock.spans.time_left()

    def check_clock(self) -> None:
        """Raise what the guest is to end with, where it is."""
        self._clock.check()

    def nudge(self) -> None:
        """Have the guest that runs, perhaps in another thread, look at its next tick or call whether that has ended."""
        self._clock.nudge()

    def failure(self, error: BaseException) -> BaseException:
        """What a call into the guest raised, as the caller shall see it."""
        raised, self._running.raised = self._running.raised, None
        error = self._typed(error)
        found = unless_too_deep(error if error is raised else guest_failure(error, self._origins))
        return found if found is raised else self._bounds.explained(found)

    def _typed(self, error: BaseException) -> BaseException:
        """What wasmer raises where it finds no memory map left, in a native store that is not used again then."""
        if panic_of(error) is None and not lacks_room(error):
            return error
        forget_native_store()
        return guest_failure(error)

    def close(self) -> None:
        """Free everything in the store. Raises `UnavailableError` while a guest of it is running."""
        if self._closed:
            return
        self.check()
        if self._running.depth:
            raise UnavailableError("the store can't be closed while its guest is calling the host")
        self._closed = True
        self.owner = 0
        held: list[Any] = [*self._callables, *self._natives, *self._hosts, self._native]
        held += [item.release() for item in list(self.items)]
        for kept in (self._callables, self._natives, self._hosts):
            kept.clear()
        del self._native
        let_go(held)
        _open.discard(self)


def _check_limit(what: str, needed: int, allowed: int | None) -> None:
    if allowed is not None and needed > allowed:
        excess = f"it needs {needed} {what}, {allowed} are allowed"
        raise InvalidError(f"the module can't be instantiated within its store's limits: {excess}")


def _referable(function: CoreCallable) -> CoreCallable:
    """`function`, or a function around it, that a weak reference can point at.

    Python's garbage collector does not see through wasmer's objects. A callable that leads back to its store, as most
    do, would keep it for ever if wasmer's function held it. So the store holds it, and wasmer's function weakly.
    """
    try:
        weakref.ref(function)
    except TypeError:
        return lambda *arguments: function(*arguments)
    return function


def _native_types(types: Sequence[str]) -> list[Any]:
    return [getattr(wasmer.Type, _TYPES[name]) for name in types]


class WasmerInstance:
    """An instance; its exports are wrapped when they are asked for, once each."""

    def __init__(self, store: WasmerStore, module: WasmerModule, native: Any) -> None:
        self._store = store
        self._module = module
        self._native: Any = native
        self._natives: dict[str, Any] = dict(iter(native.exports))
        self._exports: dict[str, Any] = {}
        store.items.add(self)

    def export(self, name: str) -> Any:
        found = self._exports.get(name)
        if found is None:
            self._store.check()
            found = self._exports[name] = wrap(self._store, self._module.info.type.instance[name], self._natives[name])
        return found

    def has(self, name: str) -> bool:
        """Whether there is an export of that name."""
        return name in self._natives

    def release(self) -> Any:
        """wasmer's objects, which it has no more."""
        held = self._native, self._natives
        self._native, self._natives = None, {}
        return held
