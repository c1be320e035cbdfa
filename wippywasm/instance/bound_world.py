"""What packages written by `wippywasm bindgen` are made of, apart from `Bindings`.

In: bindings, a component, what serves its imports. Out: a guest that speaks in the bindings' classes, and the base of
the class that has the world's exports as methods.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeAlias

from wippywasm.binary import sniff
from wippywasm.engine.port import Engine
from wippywasm.instance.bindings import Bindings
from wippywasm.instance.component import Component, Imports
from wippywasm.instance.guest import Guest
from wippywasm.instance.limits import Limits
from wippywasm.instance.link import Undeclared
from wippywasm.instance.load import load, read_source

if TYPE_CHECKING:
    from typing_extensions import Self

Program: TypeAlias = "str | bytes | os.PathLike[str] | Component"
"""A path, the bytes or text of a component or core module, or a component that is loaded."""


class BoundWorld:
    """A guest as a world: subclasses have its exports. Closes the guest at the end of a `with` block."""

    def __init__(self, guest: Guest) -> None:
        self._guest = guest

    @property
    def guest(self) -> Guest:
        """The guest behind it, for calls by name."""
        return self._guest

    def close(self) -> None:
        """End the guest; see `Guest.close`."""
        self._guest.close()

    def __enter__(self) -> Self:
        self._guest.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def instantiate_bound(
    bindings: Bindings,
    program: Program,
    imports: Mapping[str, Any] | None,
    *,
    wasi: Imports | None,
    undeclared: Undeclared,
    limits: Limits | None,
    engine: str | Engine | None,
) -> Guest:
    """A new instance whose values are of the bindings' classes.

    A core module gets its signatures from the bindings. Raises as `load` and `Component.instantiate` do.
    """
    component = program if isinstance(program, Component) else _load(program, bindings, engine)
    return component.instantiate(imports, wasi=wasi, undeclared=undeclared, limits=limits, bindings=bindings)


def _load(program: str | bytes | os.PathLike[str], bindings: Bindings, engine: str | Engine | None) -> Component:
    wasm = read_source(program)
    return load(wasm, wit=bindings.wit if sniff(wasm) == "module" else None, engine=engine)
