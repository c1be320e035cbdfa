"""Many `realloc` calls in one: a small core module that loops over them, so that the host crosses over once.

In: a store and the `realloc` of a guest in it. Out: a callable from requests to pointers, which equals so many calls.
The loops of a store share a page of memory, from which they read requests and into which they write pointers. They
know a size that the guest's memory has at least, and stop where a pointer is not within it, for somebody to look.

Spec: component-model `CanonicalABI.md`, `realloc`.
"""

from __future__ import annotations

from array import array
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from typing import TypeAlias

from wippywasm.core import CoreFuncType
from wippywasm.engine.port import CoreFunc, CoreMemory, FiberStore, Store

Look: TypeAlias = Callable[[int, int], int]
"""What is called with a request and its pointer that is not aligned, or beyond the memory's size as it was known: gives
that size now, or raises."""
Batch: TypeAlias = Callable[["array[int]", int, Look], Sequence[int]]

REALLOC = CoreFuncType(("i32", "i32", "i32", "i32"), ("i32",))
CHUNK = 8192
"""Requests that fit the page at once."""
_LOOP = """
(module $realloc-loop
  (import "guest" "realloc" (func $realloc (param i32 i32 i32 i32) (result i32)))
  {page}
  (func (export "run") (param $i i32) (param $count i32) (param $end i64) (result i32)
    (local $request i32) (local $alignment i32) (local $size i32) (local $pointer i32)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $i) (local.get $count)))
        (local.set $request (i32.shl (local.get $i) (i32.const 3)))
        (local.set $alignment (i32.load offset=4 (local.get $request)))
        (local.set $size (i32.load (local.get $request)))
        (local.set $pointer
          (call $realloc (i32.const 0) (i32.const 0) (local.get $alignment) (local.get $size)))
        (i32.store (i32.shl (local.get $i) (i32.const 2)) (local.get $pointer))
        (br_if $done (i32.and (local.get $pointer) (i32.sub (local.get $alignment) (i32.const 1))))
        (br_if $done (i64.lt_u (local.get $end)
          (i64.add (i64.extend_i32_u (local.get $pointer)) (i64.extend_i32_u (local.get $size)))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (local.get $i)))
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

    Raises what `realloc` and `look` raise. The loop is instantiated at the first call, as one more instance of the
    page's store.
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

    def __call__(self, requests: array[int], end: int, look: Look) -> Sequence[int]:
        if self._page.is_busy or (self._run is None and self._is_on_fiber):
            return _one_by_one(self._realloc)(requests, end, look)
        run, memory = self._parts()
        call = run.call
        pointers: list[int] = []
        self._page.is_busy = True
        try:
            for start in range(0, len(requests), CHUNK):
                chunk = memoryview(requests)[start : start + CHUNK]
                memory.view()[: chunk.nbytes] = chunk.cast("B")
                at = call(0, len(chunk), end)
                while at < len(chunk):
                    end = look(chunk[at], _pointers(memory, len(chunk))[at])
                    at = call(at + 1, len(chunk), end)
                pointers += _pointers(memory, len(chunk)).tolist()
        finally:
            self._page.is_busy = False
        return pointers

    @property
    def _is_on_fiber(self) -> bool:
        """Whether the guest is within a stepwise call, in which nothing can be instantiated."""
        return isinstance(self._store, FiberStore) and self._store.fibers.on_fiber

    def in_steps(self, store: FiberStore) -> Callable[[array[int], int, Look], Awaitable[list[int]]]:
        """The same for a guest that is called step by step, where none of its loops is busy yet."""

        async def batch(requests: array[int], end: int, look: Look) -> list[int]:
            run, memory = self._parts()
            call = store.fibers.stepwise(run).call
            pointers: list[int] = []
            self._page.is_busy = True
            try:
                for start in range(0, len(requests), CHUNK):
                    chunk = memoryview(requests)[start : start + CHUNK]
                    memory.view()[: chunk.nbytes] = chunk.cast("B")
                    at = await call(0, len(chunk), end)
                    while at < len(chunk):
                        end = look(chunk[at], _pointers(memory, len(chunk))[at])
                        at = await call(at + 1, len(chunk), end)
                    pointers += _pointers(memory, len(chunk)).tolist()
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


def _pointers(memory: CoreMemory, count: int) -> memoryview:
    """Those that a loop has written."""
    return memory.view()[: count * 4].cast("I")


@lru_cache(maxsize=2)
def _loop(is_first: bool) -> bytes:
    """The loop that brings the page, or one that imports it."""
    from wippywasm.engine.wat import wat2wasm  # loads wasmtime, which not every guest needs

    page = '(memory (export "memory") 1 1)'
    imported = '(import "page" "memory" (memory 1 1)) (export "memory" (memory 0))'
    return wat2wasm(_LOOP.format(page=page if is_first else imported))


def _one_by_one(realloc: CoreFunc) -> Batch:
    """For an engine that runs no wasm."""

    def batch(requests: array[int], end: int, look: Look) -> list[int]:
        pointers = []
        for r in requests:
            align, size = r >> 32, r & 0xFFFF_FFFF
            pointer = realloc.call(0, 0, align, size) & 0xFFFF_FFFF
            if pointer & (align - 1) or pointer + size > end:
                end = look(r, pointer)
            pointers.append(pointer)
        return pointers

    return batch
