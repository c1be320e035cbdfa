"""The modules that a Lua program may name in `modules:`.

In: nothing. Out: their names. Spec: SPEC section 11.
"""

from __future__ import annotations

AVAILABLE_MODULES = frozenset({"funcs", "json", "time"})
"""What `require` gives today."""

KNOWN_MODULES = AVAILABLE_MODULES | {
    "ctx",
    "security",
    "env",
    "fs",
    "http",
    "http_client",
    "logger",
    "registry",
    "uuid",
    "base64",
}
"""All that the runtime is to have; requiring one that is not there yet says so."""
