"""Many `realloc` calls in one: a small core module that loops over them, so that the host crosses over once.

In: a store and the `realloc` of a guest in it. Out: a callable from requests to pointers, which equals so many calls.
The loop has a page of memory of its own, from which it reads requests and into which it writes pointers; the guest's
memory is its own business.

Spec: component-model `CanonicalABI.md`, `realloc`.
"""

from __future__ import annotations

from array import array
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from typing import TypeAlias

from wippywasm.core import CoreFuncType
from wippywasm.engine.port import CoreFunc, CoreMemory, FiberStore, Store

Batch: TypeAlias = Callable[["array[int]"], Sequence[int]]

REALLOC = CoreFuncType(("i32", "i32", "i32", "i32"), ("i32",))
CHUNK = 8192
"""Requests that fit the loop's page at once."""
_LOOP = """
(module $realloc-loop
  (import "guest" "realloc" (func $realloc (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1 1)
  (func (export "run") (param $count i32) (local $i i32) (local $request i32)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $i) (local.get $count)))
        (local.set $request (i32.shl (local.get $i) (i32.const 3)))
        (i32.store (i32.shl (local.get $i) (i32.const 2))
          (call $realloc (i32.const 0) (i32.const 0)
            (i32.load offset=4 (local.get $request)) (i32.load (local.get $request))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))))
"""


def batched_realloc(store: Store, realloc: CoreFunc) -> Batch:
    """A callable from an `array("Q")` of requests, each `alignment << 32 | size`, to their pointers, unsigned.

    Raises what `realloc` raises. The loop is instantiated at the first call, as one more instance of `store`.
    """
    if not store.engine.features:
        return _one_by_one(realloc)
    return Loop(store, realloc)


class Loop:
    def __init__(self, store: Store, realloc: CoreFunc) -> None:
        self._store = store
        self._realloc = realloc
        self._parts: tuple[CoreFunc, CoreMemory] | None = None

    def __call__(self, requests: array[int]) -> Sequence[int]:
        if self._parts is None and isinstance(self._store, FiberStore) and self._store.fibers.on_fiber:
            return _one_by_one(self._realloc)(requests)  # nothing can be instantiated from within a stepwise call
        run, memory = self._parts or self._instantiate()
        call = run.call
        pointers: list[int] = []
        for start in range(0, len(requests), CHUNK):
            chunk = memoryview(requests)[start : start + CHUNK]
            memory.view()[: chunk.nbytes] = chunk.cast("B")
            call(len(chunk))
            pointers += memory.view()[: len(chunk) * 4].cast("I").tolist()
        return pointers

    def in_steps(self, store: FiberStore) -> Callable[[array[int]], Awaitable[list[int]]]:
        """The same for a guest that is called step by step."""

        async def batch(requests: array[int]) -> list[int]:
            run, memory = self._parts or self._instantiate()
            call = store.fibers.stepwise(run).call
            pointers: list[int] = []
            for start in range(0, len(requests), CHUNK):
                chunk = memoryview(requests)[start : start + CHUNK]
                memory.view()[: chunk.nbytes] = chunk.cast("B")
                await call(len(chunk))
                pointers += memory.view()[: len(chunk) * 4].cast("I").tolist()
            return pointers

        return batch

    def _instantiate(self) -> tuple[CoreFunc, CoreMemory]:
        instance = self._store.instantiate(self._store.engine.compile(_loop()), [self._realloc])
        run, memory = instance.export("run"), instance.export("memory")
        assert isinstance(run, CoreFunc)
        assert isinstance(memory, CoreMemory)
        self._parts = run, memory
        return self._parts


@lru_cache(maxsize=1)
def _loop() -> bytes:
    from wippywasm.engine.wat import wat2wasm  # loads wasmtime, which not every guest needs

    return wat2wasm(_LOOP)


def _one_by_one(realloc: CoreFunc) -> Batch:
    """For an engine that runs no wasm."""

    def batch(requests: array[int]) -> list[int]:
        return [realloc.call(0, 0, r >> 32, r & 0xFFFF_FFFF) & 0xFFFF_FFFF for r in requests]

    return batch
