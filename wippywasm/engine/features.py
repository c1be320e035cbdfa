"""Names of the WebAssembly proposals: what the port, the errors and `wippywasm engines` call them.

In: nothing. Out: tables of names. A feature's key is the proposal's own name; its label is how a sentence names it.
"""

from __future__ import annotations

LABELS: dict[str, str] = {
    "mutable-global": "mutable globals across modules",
    "sign-extension": "sign extension",
    "saturating-float-to-int": "saturating conversions",
    "multi-value": "multiple results",
    "bulk-memory": "bulk memory operations",
    "reference-types": "reference types",
    "simd": "SIMD",
    "tail-call": "tail calls",
    "extended-const": "extended constant expressions",
    "threads": "threads",
    "multi-memory": "several memories",
    "memory64": "64-bit memories",
    "relaxed-simd": "relaxed SIMD",
    "function-references": "typed function references",
    "gc": "garbage collected types",
    "exceptions": "exception handling",
    "custom-page-sizes": "custom page sizes",
    "wide-arithmetic": "wide arithmetic",
}

WASM_2_0 = frozenset(
    {
        "mutable-global",
        "sign-extension",
        "saturating-float-to-int",
        "multi-value",
        "bulk-memory",
        "reference-types",
        "simd",
    }
)
"""What every engine here has."""

SINCE_2_0 = frozenset(LABELS) - WASM_2_0

ENGINE_FEATURES: dict[str, frozenset[str]] = {"wasmtime": frozenset(LABELS), "wasmer": WASM_2_0}
"""What each engine has, installed or not."""


def labels(names: list[str]) -> str:
    """`tail calls`, `tail calls and threads`, `tail calls, threads and SIMD`."""
    words = [LABELS.get(name, name) for name in names]
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
