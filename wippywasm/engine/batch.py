"""Many `realloc` calls in one: a small core module that loops over them, so that the host crosses over once.

In: a store and the `realloc` of a guest in it. Out: a callable from requests to pointers, which equals so many calls.
The loops of a store share a page of memory, from which they read requests and into which they write pointers; the
guest's memory is its own business.

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
"""Requests that fit the page at once."""
_LOOP = """
(module $realloc-loop
  (import "guest" "realloc" (func $realloc (param i32 i32 i32 i32) (result i32)))
  {page}
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


class Page:
    """The memory that the loops of one store share, of which the first has brought it.

    `is_busy` tells that one of them runs. An allocation may call the host, and that another allocation.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.is_busy = False
        self.memory: CoreMemory | None = None


def batched_realloc(page: Page, realloc: CoreFunc) -> Batch:
    """A callable from an `array("Q")` of requests, each `alignment << 32 | size`, to their pointers, unsigned.

    Raises what `realloc` raises. The loop is instantiated at the first call, as one more instance of the page's store.
    """
    if not page.store.engine.features:
        return _one_by_one(realloc)
    return Loop(page, realloc)


class Loop:
    def __init__(self, page: Page, realloc: CoreFunc) -> None:
        self._page = page
        self._store = page.store
        self._realloc = realloc
        self._run: CoreFunc | None = None

    def __call__(self, requests: array[int]) -> Sequence[int]:
        if self._page.is_busy or (self._run is None and self._is_on_fiber):
            return _one_by_one(self._realloc)(requests)
        run, memory = self._parts()
        call = run.call
        pointers: list[int] = []
        self._page.is_busy = True
        try:
            for start in range(0, len(requests), CHUNK):
                chunk = memoryview(requests)[start : start + CHUNK]
                memory.view()[: chunk.nbytes] = chunk.cast("B")
                call(len(chunk))
                pointers += memory.view()[: len(chunk) * 4].cast("I").tolist()
        finally:
            self._page.is_busy = False
        return pointers

    @property
    def _is_on_fiber(self) -> bool:
        """Whether the guest is within a stepwise call, in which nothing can be instantiated."""
        return isinstance(self._store, FiberStore) and self._store.fibers.on_fiber

    def in_steps(self, store: FiberStore) -> Callable[[array[int]], Awaitable[list[int]]]:
        """The same for a guest that is called step by step, where none of its loops is busy yet."""

        async def batch(requests: array[int]) -> list[int]:
            run, memory = self._parts()
            call = store.fibers.stepwise(run).call
            pointers: list[int] = []
            self._page.is_busy = True
            try:
                for start in range(0, len(requests), CHUNK):
                    chunk = memoryview(requests)[start : start + CHUNK]
                    memory.view()[: chunk.nbytes] = chunk.cast("B")
                    await call(len(chunk))
                    pointers += memory.view()[: len(chunk) * 4].cast("I").tolist()
            finally:
                self._page.is_busy = False
            return pointers

        return batch

    def _parts(self) -> tuple[CoreFunc, CoreMemory]:
        page = self._page
        if self._run is None:
            shared = [] if page.memory is None else [page.memory]
            module = self._store.engine.compile(_loop(is_first=not shared))
            instance = self._store.instantiate(module, [self._realloc, *shared])
            run, memory = instance.export("run"), instance.export("memory")
            assert isinstance(run, CoreFunc)
            assert isinstance(memory, CoreMemory)
            self._run = run
            page.memory = memory if page.memory is None else page.memory
        assert page.memory is not None
        return self._run, page.memory


@lru_cache(maxsize=2)
def _loop(is_first: bool) -> bytes:
    """The loop that brings the page, or one that imports it."""
    from wippywasm.engine.wat import wat2wasm  # loads wasmtime, which not every guest needs

    page = '(memory (export "memory") 1 1)'
    imported = '(import "page" "memory" (memory 1 1)) (export "memory" (memory 0))'
    return wat2wasm(_LOOP.format(page=page if is_first else imported))


def _one_by_one(realloc: CoreFunc) -> Batch:
    """For an engine that runs no wasm."""

    def batch(requests: array[int]) -> list[int]:
        return [realloc.call(0, 0, r >> 32, r & 0xFFFF_FFFF) & 0xFFFF_FFFF for r in requests]

    return batch
