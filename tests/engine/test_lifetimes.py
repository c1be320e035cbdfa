"""Stores come and go: closing is deterministic, order never matters, memory stays flat, threads are told apart."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import Any

import pytest

from tests.engine.guests import NOTHING, build, call
from wippywasm.core import CoreFuncType
from wippywasm.engine import wat2wasm
from wippywasm.engine.port import Engine, Store, StoreLimits
from wippywasm.engine.spans import new_span
from wippywasm.engine.wasmtime_engine import WasmtimeEngine
from wippywasm.errors import InvalidError, ThreadError, UnavailableError

GUEST = """(module (import "h" "f" (func $f (param i32) (result i32)))
  (memory (export "memory") 2 100) (global (export "g") (mut i32) (i32.const 1)) (table (export "t") 1 funcref)
  (func (export "go") (param i32) (result i32) (i32.store8 (i32.const 100000) (i32.const 1)) (call $f (local.get 0)))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"""
ECHO = CoreFuncType(("i32",), ("i32",))


def resident() -> int:
    """Bytes of this process that are in memory."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


def guest(store: Store) -> Any:
    return build(store, GUEST, [store.host_func(ECHO, lambda x: x)])


def test_nothing_works_after_close_and_everything_says_so(engine: Engine) -> None:
    store = engine.new_store()
    instance = guest(store)
    go, used = instance.export("go").call, instance.export("grow")
    items = {name: instance.export(name) for name in ("memory", "g", "t")}
    assert go(1) == 1
    store.close()
    store.close()
    uses = (
        lambda: go(1),
        lambda: used.call(1),
        items["memory"].view,
        items["g"].get,
        lambda: items["g"].set(1),
        items["t"].size,
        lambda: build(store, "(module)"),
        lambda: store.host_func(NOTHING, lambda: None),
    )
    for use in uses * 2:  # none of them opens it again
        with pytest.raises(UnavailableError, match="the store is closed"):
            use()


def test_calls_into_a_closed_store_leave_the_next_alone(engine: Engine) -> None:
    """On wasmtime the next store has the buffer for arguments and results that the closed one had."""
    first = engine.new_store()
    late = guest(first).export("go").call
    first.close()
    second = engine.new_store()

    def host(x: int) -> int:
        with pytest.raises(UnavailableError):
            late(9)
        return x + 1

    assert build(second, GUEST, [second.host_func(ECHO, host)]).export("go").call(1) == 2
    second.close()


def test_an_export_first_asked_for_after_close(engine: Engine) -> None:
    store = engine.new_store()
    instance = guest(store)
    store.close()
    with pytest.raises(UnavailableError):
        instance.export("go").call(1)


def test_closing_from_inside_is_refused(engine: Engine) -> None:
    store = engine.new_store()
    refused: list[str] = []

    def host(x: int) -> int:
        try:
            store.close()
        except UnavailableError as error:
            refused.append(error.message)
        return x

    instance = build(store, GUEST, [store.host_func(ECHO, host)])
    assert call(instance, "go", 5) == 5
    assert len(refused) == 1
    store.close()


def test_closing_frees_the_host_functions(engine: Engine) -> None:
    class Host:
        def echo(self, x: int) -> int:
            return x

    host = Host()
    store = engine.new_store()
    instance = build(store, GUEST, [store.host_func(ECHO, host.echo)])
    assert call(instance, "go", 3) == 3
    gone = weakref.ref(host)
    del host
    store.close()
    gc.collect()
    assert gone() is None


def test_what_is_held_keeps_its_store_alive(engine: Engine) -> None:
    go = guest(engine.new_store()).export("go").call
    view_of = guest(engine.new_store()).export("memory")
    gc.collect()
    assert go(7) == 7
    view_of.view()[100000] = 1
    gc.collect()
    assert view_of.view()[100000] == 1


def _cycle(engine: Engine) -> None:
    """A guest whose host function leads back to its store, as those of real hosts do, and nobody closes it."""
    store = engine.new_store()

    def host(x: int) -> int:
        return x if x < 3 else int(call(instance, "go", 0)) + x

    instance = build(store, GUEST, [store.host_func(ECHO, host)])
    assert call(instance, "go", 5) == 5
    call(instance, "grow", 20)
    instance.export("memory").view()[:] = b"x" * (22 * 65536)


@pytest.mark.parametrize("way", ["closed", "dropped", "dropped in cycles"])
def test_memory_stays_flat(engine: Engine, way: str) -> None:
    def once() -> None:
        if way == "dropped in cycles":
            _cycle(engine)
            return
        store = engine.new_store()
        instance = guest(store)
        call(instance, "go", 1)
        call(instance, "grow", 20)
        instance.export("memory").view()[:] = b"x" * (22 * 65536)
        if way == "closed":
            store.close()

    for _ in range(20):
        once()
    gc.collect()
    before = resident()
    for number in range(150):
        once()
        if number % 10 == 0:
            gc.collect()
    gc.collect()
    assert resident() - before < 30 << 20  # 150 guests of 1.4 MB each would be 216 MB


def test_modules_that_are_gone_leave_no_code_behind(engine: Engine) -> None:
    """Each of many modules runs once and is dropped, while an older guest goes on, and links with new ones."""
    store = engine.new_store()
    older = guest(store)

    def once(number: int) -> None:
        body = "".join(f"(i32.const {number + k}) (i32.add)" for k in range(300))
        text = f'(module (func $f (export "f") (result i32) (i32.const 0) {body}))'
        fresh = engine.new_store()
        assert call(build(fresh, text), "f") == sum(number + k for k in range(300))
        fresh.close()
        late = build(
            store,
            '(module (import "o" "go" (func $go (param i32) (result i32))) (export "go" (func $go)))',
            [older.export("go")],
        )
        assert call(late, "go", number) == number

    for number in range(80):
        once(number)
    gc.collect()
    before = resident()
    for number in range(80, 240):
        once(number)
    gc.collect()
    assert resident() - before < 20 << 20
    store.close()


def test_collection_in_any_order(engine: Engine) -> None:
    """Parts of guests are let go in every order, with collections in between."""
    for number in range(60):
        store = engine.new_store()
        instance = guest(store)
        parts: list[Any] = [
            store,
            instance,
            instance.export("go"),
            instance.export("go").call,
            instance.export("memory"),
            instance.export("memory").view(),
            instance.export("t"),
        ]
        call(instance, "go", 1)
        del store, instance
        while parts:
            parts.pop(number % len(parts))
            if number % 3 == 0:
                gc.collect(0)
    gc.collect()


def test_stores_of_wasmer_stay_in_their_thread(engine: Engine) -> None:
    store = engine.new_store()
    instance = guest(store)
    go, memory, fresh = instance.export("go").call, instance.export("memory"), instance.export("grow")
    outcomes: list[Any] = []

    def elsewhere() -> None:
        for use in (
            lambda: go(4),
            lambda: len(memory.view()),
            lambda: fresh.call(0),
            instance.export("g").get,
            lambda: build(store, "(module)") and None,
            store.close,
        ):
            try:
                outcomes.append(use())
            except ThreadError as error:
                outcomes.append(error)

    instance.export("g")
    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert len(outcomes) == 6
    if engine.thread_bound:
        assert all(isinstance(outcome, ThreadError) for outcome in outcomes)
        assert go(4) == 4
        store.close()
    else:
        assert outcomes == [4, 2 * 65536, 2, 1, None, None]


def test_a_module_runs_in_many_threads_at_once(engine: Engine) -> None:
    module = engine.compile(wat2wasm(GUEST))
    results: list[int] = []

    def work(number: int) -> None:
        for _ in range(5):
            store = engine.new_store()
            instance = store.instantiate(module, [store.host_func(ECHO, lambda x: x + number)])
            results.extend(call(instance, "go", x) for x in range(50))
            store.close()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == sorted(x + n for n in range(4) for _ in range(5) for x in range(50))


def test_a_dropped_guest_may_be_collected_in_another_thread(engine: Engine) -> None:
    holder = [guest(engine.new_store())]

    def collect() -> None:
        holder.clear()
        gc.collect()

    thread = threading.Thread(target=collect)
    thread.start()
    thread.join()
    assert not holder
    assert call(guest(engine.new_store()), "go", 2) == 2


@pytest.mark.parametrize(
    ("limits", "module"),
    [
        (StoreLimits(memory_bytes=65536), "(module (memory 2))"),
        (StoreLimits(table_elements=5), "(module (table 6 funcref))"),
    ],
)
def test_what_a_module_needs_at_once_is_limited(engine: Engine, limits: StoreLimits, module: str) -> None:
    with pytest.raises(InvalidError, match="within its store's limits"):
        build(engine.new_store(limits), module)
    build(engine.new_store(), module)


def test_growth_is_limited(engine: Engine) -> None:
    store = engine.new_store(StoreLimits(memory_bytes=4 * 65536, table_elements=10))
    instance = guest(store)
    assert call(instance, "grow", 2) == 2
    assert call(instance, "grow", 1) == -1
    assert instance.export("memory").grow(1) == -1


def test_an_engine_stays_while_its_slices_are_counted() -> None:
    """Its thread counts for a moment longer than guests run."""
    engine = WasmtimeEngine()
    native = weakref.ref(engine.native)
    store = engine.new_store()
    span = new_span(TimeoutError(), 60)
    store.start_clock(span)
    store.stop_clock(span)
    store.close()
    del engine, store
    gc.collect()
    assert native() is not None
