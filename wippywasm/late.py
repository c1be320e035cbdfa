"""Names of a package that are loaded when they are first used.

In: where each name is defined. Out: the package's `__getattr__` (PEP 562). Type checkers see the imports beside it.

What a module defines may not have the name of a module in the package, which its import would put in that place.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


def late_names(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """`homes` has, by name, the module in the package that defines it; none for a name that is a module."""

    def load(name: str) -> Any:
        import importlib  # for names that are used; see the package

        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        home = importlib.import_module(f"{package}.{homes[name] or name}")
        value = getattr(home, name) if homes[name] else home
        setattr(sys.modules[package], name, value)
        return value

    return load
