"""How wasmtime compiles: every setting, in one place, since each is part of the cache's key.

In: proposals to leave out. Out: a `wasmtime.Config`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import wasmtime

from wippywasm.engine import wasmtime_capi as capi
from wippywasm.engine.features import ENGINE_FEATURES

SETTINGS: tuple[str, ...] = (
    "nan-canonicalization=off",
    "shared-memory=on",
    "opt-level=speed",
    "epochs=on",
    "features=all",
)


def _threads(config: wasmtime.Config, on: bool) -> None:
    config.wasm_threads = on


def _tail_call(config: wasmtime.Config, on: bool) -> None:
    config.wasm_tail_call = on


def _multi_memory(config: wasmtime.Config, on: bool) -> None:
    config.wasm_multi_memory = on


def _memory64(config: wasmtime.Config, on: bool) -> None:
    config.wasm_memory64 = on


def _relaxed_simd(config: wasmtime.Config, on: bool) -> None:
    config.wasm_relaxed_simd = on


def _exceptions(config: wasmtime.Config, on: bool) -> None:
    config.wasm_exceptions = on


def _function_references(config: wasmtime.Config, on: bool) -> None:
    config.wasm_function_references = on
    if not on:
        config.wasm_gc = False  # which builds on them


def _gc(config: wasmtime.Config, on: bool) -> None:
    config.wasm_gc = on


def _custom_page_sizes(config: wasmtime.Config, on: bool) -> None:
    config.wasm_custom_page_sizes = on


def _wide_arithmetic(config: wasmtime.Config, on: bool) -> None:
    config.wasm_wide_arithmetic = on


SWITCHES: Mapping[str, Callable[[wasmtime.Config, bool], None]] = {
    "tail-call": _tail_call,
    "threads": _threads,
    "multi-memory": _multi_memory,
    "memory64": _memory64,
    "relaxed-simd": _relaxed_simd,
    "gc": _gc,
    "function-references": _function_references,
    "exceptions": _exceptions,
    "custom-page-sizes": _custom_page_sizes,
    "wide-arithmetic": _wide_arithmetic,
}
"""Proposals that can be switched; those left out last win, so that one off is off whatever builds on it."""

FEATURES = ENGINE_FEATURES["wasmtime"]


def make_config(without: frozenset[str] = frozenset()) -> wasmtime.Config:
    """A configuration with all proposals of `FEATURES` but those in `without`."""
    config = wasmtime.Config()
    config.parallel_compilation = True
    config.cranelift_opt_level = "speed"
    pointer = capi.pointer_of(config)
    capi.nan_canonicalization_set(pointer, False)
    capi.shared_memory_set(pointer, True)
    capi.epoch_interruption_set(pointer, True)
    for switch in SWITCHES.values():
        switch(config, True)
    for name in without & SWITCHES.keys():
        SWITCHES[name](config, False)
    return config
