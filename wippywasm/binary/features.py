"""The gated features of the component model, by name, and which of them are on.

Spec: component-model `Explainer.md`, gated features (each has an emoji there).
"""

from __future__ import annotations

ASYNC = "async"
MAP = "map"
ANNOTATIONS = "annotations"  # `implements` and `external-id`
MORE_ASYNC = "more-async-builtins"
STACKFUL = "async-stackful"
THREADS = "threading"
FIXED_LISTS = "fixed-length-lists"
ERROR_CONTEXT = "error-context"
CANONICAL_NAMES = "canonical-names"
SHARED_THREADS = "shared-everything-threads"
NESTED_NAMES = "nested-names"
DEPENDENCY_NAMES = "dependency-names"  # `url=<…>` and the like, which the specification had and tools have
VALUES = "values"
MEMORY64 = "memory64"
REVISED = "revised-2026-09"
"""Not a gate, but two rules that came after the vectors of August 2026, some of which break them: names that differ
only in hyphens are not apart (WebAssembly/component-model#704), and no built-in is `cancellable` (#716)."""

Features = frozenset[str]

DEFAULT: Features = frozenset(
    {
        ASYNC,
        MAP,
        ANNOTATIONS,
        MORE_ASYNC,
        STACKFUL,
        THREADS,
        FIXED_LISTS,
        ERROR_CONTEXT,
        CANONICAL_NAMES,
        DEPENDENCY_NAMES,
    }
)
"""What decodes and validates unless asked otherwise."""

ALL: Features = DEFAULT | {SHARED_THREADS, NESTED_NAMES, VALUES}
"""What can be asked for, beside `REVISED`. `memory64` is refused always."""
