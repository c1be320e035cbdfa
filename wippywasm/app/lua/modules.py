"""The modules that a Lua program may name in `modules:`.

In: nothing. Out: their names, and the parts of the prelude that make each. Spec: SPEC section 11.
"""

from __future__ import annotations

from collections.abc import Mapping

MODULES: Mapping[str, tuple[str, ...]] = {
    "base64": ("base64",),
    "ctx": ("ctx",),
    "env": ("env",),
    "funcs": ("typed", "funcs", "futures"),
    "http": ("json", "stream", "http"),
    "json": ("json",),
    "registry": ("registry",),
    "security": ("security",),
    "time": ("duration", "calendar", "layout", "parsing", "time"),
}
"""What `require` gives today, each with the files of `prelude/` that it needs beyond those of every sandbox."""

AVAILABLE_MODULES = frozenset(MODULES)

KNOWN_MODULES = AVAILABLE_MODULES | {
    "fs",
    "http_client",
    "logger",
    "uuid",
}
"""All that the runtime is to have; requiring one that is not there yet says so."""
