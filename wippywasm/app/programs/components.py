"""The components that wasm entries run: each decoded, planned and compiled once, several at the same time.

In: sources, each with its WIT or none. Out: for each a compiled component, or the error that it was refused with.
Spec: SPEC section 3.

Threads help where the engine lets go of the interpreter while it compiles (wasmtime); an engine whose objects belong to
one thread compiles in the caller's.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeAlias

from wippywasm.binary import sniff
from wippywasm.engine import wat2wasm
from wippywasm.engine.port import Engine
from wippywasm.errors import WippyError
from wippywasm.instance.component import Component
from wippywasm.instance.load import load, read_signatures
from wippywasm.instance.signatures import check_signatures

Source: TypeAlias = bytes | str
"""A binary, or WebAssembly text."""
Wanted: TypeAlias = tuple[Source, str | None]
"""A source and the text of its WIT."""
Work: TypeAlias = tuple[Source, tuple[str | None, ...]]
Loaded: TypeAlias = Component | WippyError
Progress: TypeAlias = Callable[[int, int], None]
"""Told from time to time how many of how many are done."""

MAX_THREADS = 8
_TICK = 0.2
"""Seconds between two reports while nothing is done."""


class Components:
    """Loads for one app. `check` raises `WippyError` for a component that is to be refused."""

    def __init__(self, engine: Engine, check: Callable[[Component], None]) -> None:
        self._engine = engine
        self._check = check

    def load_all(self, wanted: Iterable[Wanted], progress: Progress | None = None) -> dict[Wanted, Loaded]:
        """Load everything that is wanted, each once, however often it is named."""
        by_source: dict[Source, dict[str | None, None]] = {}
        for source, wit in wanted:
            by_source.setdefault(source, {})[wit] = None
        workers = 1 if self._engine.thread_bound else min(len(by_source), os.cpu_count() or 1, MAX_THREADS)
        load = self._load_in_threads if workers > 1 else self._load_in_turn
        return load([(source, tuple(wits)) for source, wits in by_source.items()], progress or _nothing)

    def _load_in_turn(self, work: list[Work], progress: Progress) -> dict[Wanted, Loaded]:
        loaded: dict[Wanted, Loaded] = {}
        for done, one in enumerate(work):
            progress(done, len(work))
            loaded |= self._load_source(*one)
        progress(len(work), len(work))
        return loaded

    def _load_in_threads(self, work: list[Work], progress: Progress) -> dict[Wanted, Loaded]:
        with ThreadPoolExecutor(min(len(work), os.cpu_count() or 1, MAX_THREADS), "compile") as threads:
            futures = [threads.submit(self._load_source, *one) for one in work]
            try:
                _watch(futures, progress)
            except BaseException:
                threads.shutdown(wait=False, cancel_futures=True)
                raise
        return {wanted: loaded for future in futures for wanted, loaded in future.result().items()}

    def _load_source(self, source: Source, wits: tuple[str | None, ...]) -> dict[Wanted, Loaded]:
        """One source with every WIT that entries give it. That of a component is checked, that of a module makes it."""
        try:
            wasm = wat2wasm(source) if isinstance(source, str) else source
            if sniff(wasm) == "component":
                component = self._load(wasm, None)
                return {(source, wit): _fitting(component, wit) for wit in wits}
        except WippyError as error:
            return {(source, wit): error for wit in wits}
        return {(source, wit): self._module(wasm, wit) for wit in wits}

    def _module(self, wasm: bytes, wit: str | None) -> Loaded:
        try:
            return self._load(wasm, wit)
        except WippyError as error:
            return error

    def _load(self, wasm: bytes, wit: str | None) -> Component:
        component = load(wasm, wit=None if wit is None else f"{wit}\n", engine=self._engine)
        component.compile()
        self._check(component)
        return component


def _fitting(component: Component, wit: str | None) -> Loaded:
    """The component, or what is wrong with it by the WIT of an entry."""
    try:
        if wit is not None:
            check_signatures(component.functions, read_signatures(f"{wit}\n"))
    except WippyError as error:
        return error
    return component


def _watch(futures: list[Future[dict[Wanted, Loaded]]], progress: Progress) -> None:
    """Report until all are done."""
    pending = set(futures)
    while pending:
        progress(len(futures) - len(pending), len(futures))
        _, pending = wait(pending, timeout=_TICK)
    progress(len(futures), len(futures))


def _nothing(done: int, total: int) -> None:
    return
