"""The modules that a Lua program may name in `modules:`.

In: nothing. Out: their names, and the parts of the prelude that make each. Spec: SPEC section 11.
"""

from __future__ import annotations

from collections.abc import Mapping

MODULES: Mapping[str, tuple[str, ...]] = {
    "base64": ("base64",),
    "ctx": ("ctx",),
    "env": ("env",),
    "fs": ("scanner", "fs"),
    "funcs": ("typed", "funcs", "futures"),
    "http": ("json", "scanner", "stream", "http"),
    "http_client": ("scanner", "stream", "http_client"),
    "json": ("json", "json_schema"),
    "logger": ("logger",),
    "registry": ("registry",),
    "security": ("security",),
    "time": ("duration", "calendar", "layout", "parsing", "time"),
    "uuid": ("uuid",),
}
"""What `require` gives, each with the files of `prelude/` that it needs beyond those of every sandbox."""

AVAILABLE_MODULES = frozenset(MODULES)
