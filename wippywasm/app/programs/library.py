"""What the app needs of the component library.

In: wasm. Out: components that tell their functions, and guests to call. The library below has it; tests bring their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from wippywasm.model import FuncType


class Guest(Protocol):
    """An instance; one call at a time, all from the thread that made it."""

    def call(self, name: str, *args: Any) -> Any: ...
    def close(self) -> None: ...


class Component(Protocol):
    """A compiled module or component."""

    @property
    def functions(self) -> Mapping[str, FuncType]: ...
    @property
    def imports(self) -> tuple[str, ...]: ...
    def find_function(self, method: str) -> tuple[str, FuncType]: ...
    def instantiate(self, imports: Any = None, *, undeclared: str = "refuse", limits: Any = None) -> Guest: ...


class Load(Protocol):
    """Compiles a binary (bytes) or a text, with a signature for a core module."""

    def __call__(self, source: bytes | str, *, wit: str | None, engine: str | None) -> Component: ...
