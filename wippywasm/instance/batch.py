"""Many allocations in one call into the guest.

In: a guest's `realloc`. Out: the `Batch` that lowering uses for values of many parts: a helper module of ours, which
has a memory of its own for the requests and their answers, and loops over the imported `realloc`. One call then costs
a microsecond and what the guest itself needs, not a microsecond for each allocation.

The helper, as text:

    (module
      (import "" "realloc" (func $realloc (param i32 i32 i32 i32) (result i32)))
      (memory (export "requests") 1)
      (func (export "run") (param $end i32) (local $at i32)
        (loop $next
          (i32.store (local.get $at)
            (call $realloc (i32.const 0) (i32.const 0) (i32.load offset=4 (local.get $at)) (i32.load (local.get $at))))
          (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8))) (local.get $end))))))

Spec: `CanonicalABI.md` (`realloc`); each request is `alignment << 32 | size`, answered in its low half.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

from wippywasm.engine.port import CoreFunc, Module, Store

PAGE = 1 << 16
REQUEST = 8
MAX_REQUESTS = PAGE // REQUEST

HELPER = bytes.fromhex(
    "0061736d01000000"  # a core module
    "010d0260047f7f7f7f017f60017f00"  # types: of realloc, of run
    "020c0100077265616c6c6f630000"  # import
    "03020101"  # run
    "0503010001"  # memory
    "07120208726571756573747302000372756e0001"  # exports
    "0a2a012801017f0340200141004100200128020420012802001000360200200141086a22012000490d000b0b"  # code
)


class Batcher:
    """`Batch` for one guest; the helper is instantiated when it is first needed."""

    def __init__(self, store: Store, module: Module, realloc: CoreFunc) -> None:
        self._store = store
        self._module = module
        self._realloc = realloc
        self._run: Any = None
        self._memory: Any = None

    def __call__(self, requests: array[int]) -> Sequence[int]:
        """Pointers for requests, in order; raises what `realloc` traps with."""
        if self._run is None:
            self._instantiate()
        if len(requests) <= MAX_REQUESTS:
            return self._some(requests)
        pointers: list[int] = []
        for start in range(0, len(requests), MAX_REQUESTS):
            pointers += self._some(requests[start : start + MAX_REQUESTS])
        return pointers

    def _some(self, requests: array[int]) -> Sequence[int]:
        size = len(requests) * REQUEST
        self._memory.view()[:size] = memoryview(requests).cast("B")
        self._run(size)
        return array("I", bytes(self._memory.view()[:size]))[::2]

    def _instantiate(self) -> None:
        instance = self._store.instantiate(self._module, [self._realloc])
        run: Any = instance.export("run")
        self._memory = instance.export("requests")
        self._run = run.call
