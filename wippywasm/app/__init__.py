"""The application runtime: a folder of `_index.yaml` files becomes functions that are called by id.

In: definition files. Out: `App`. It is loaded when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wippywasm.app.application import App

__all__ = ["App"]


def __getattr__(name: str) -> Any:
    if name != "App":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from wippywasm.app.application import App

    return App
