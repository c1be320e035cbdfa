"""Resources of guests as the host holds them.

In: a representation that a guest has lifted. Out: an object that stands for the resource: its methods, its end.
An object of the host is itself on the host side, and an index into its type's `objects` inside handles.

Spec: `CanonicalABI.md`, `lift_own`, `lift_borrow`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import MethodType, TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

from wippywasm.abi.destroying import destroy_quietly, destroy_when_free, hurry
from wippywasm.abi.entry import refuse_thread
from wippywasm.abi.state import ComponentInstance, ResourceHandle, RuntimeResource
from wippywasm.errors import NoAttributeError, UnavailableError

if TYPE_CHECKING:
    from typing_extensions import Self


class GuestResource:
    """A guest's resource, held by the host.

    Owned ones live until `close()`, the end of a `with` block, or garbage collection; passing one as `own` gives it
    away. Borrowed ones, which a guest lends to a host function, are valid until that function returns.
    Classes that `wippywasm bindgen` writes are based on this one.
    """

    __slots__ = ("__weakref__", "_lends", "_owned", "_rep", "_type")

    def __init__(self, type: RuntimeResource, rep: int, owned: bool) -> None:
        self._type = type
        self._rep: int | None = rep
        self._owned = owned
        self._lends = 0

    @property
    def closed(self) -> bool:
        """Whether it can't be used any more: closed, given away, or lent no longer."""
        return self._rep is None

    def close(self) -> None:
        """Drop it: runs the guest's destructor, once the guest has returned if it is running.

        Raises Trap, ThreadError; does nothing the second time, unless Ctrl-C came the first.
        """
        impl = self._type.impl
        assert impl is not None
        if self._rep is None:
            if impl.deferred:
                hurry(impl)
            return
        if self._owned and impl.send is None and not impl.is_here:
            refuse_thread(impl)
        self._drop(impl)

    def _drop(self, impl: ComponentInstance) -> None:
        """Drop it, in whatever thread that may be: it is still open, or its guest has it, wherever Ctrl-C comes."""
        handle, rep = ResourceHandle(self._type, self._rep, own=True), None
        try:
            # Nothing may come between the test and what it guards: see `entry`.
            if not self._lends:
                rep, self._rep = self._rep, None
                if rep is not None and self._owned:
                    destroy_when_free(handle)
            else:
                raise UnavailableError("cannot close a resource while a call borrows it")
        except BaseException:
            if rep is not None and self._owned and handle.own:
                impl.deferred.append(handle)
            raise

    def _give(self, take: Callable[[ResourceHandle], object]) -> None:
        """Give the handle of one that is owned to `take`, a function that Ctrl-C does not come into."""
        handle = ResourceHandle(self._type, self._rep, own=True)
        # Nothing may come between these: see `entry`.
        rep, self._rep = self._rep, None
        if rep is not None:
            take(handle)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a resource is one thing: it can't be copied or pickled")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def __del__(self) -> None:
        handle: ResourceHandle | None = None
        try:
            if not getattr(self, "_lends", True) and self._owned and self._rep is not None:
                handle = ResourceHandle(self._type, self._rep, own=True)
                self._rep = None
                destroy_quietly(handle)
        except BaseException:  # Ctrl-C, which Python only prints here
            if handle is None:
                handle = ResourceHandle(self._type, self._rep, own=self._owned and not self._lends and not self.closed)
            if handle.own and self._type.impl is not None:
                self._type.impl.deferred.append(handle)
            raise

    def __repr__(self) -> str:
        state = "closed" if self._rep is None else "owned" if self._owned else "borrowed"
        return f"<{type(self).__name__} {self._type.name} {state}>"

    def _call(self, name: str, *args: Any) -> Any:
        """Call the method of that Python name."""
        return self._type.methods[name](self, *args)

    def _call_async(self, name: str, *args: Any) -> Awaitable[Any]:
        """The same by a task."""
        return self._type.async_methods[name](self, *args)


class Resource(GuestResource):
    """A guest's resource whose methods are attributes, in snake_case: `close_` for `close`, which all have."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        method = self._type.methods.get(name[:-1] if name in _AVOIDED else name)
        if method is None:
            raise NoAttributeError(f"resource {self._type.name} has no method {name!r}")
        return MethodType(method, self)

    def __dir__(self) -> list[str]:
        methods = {_AVOIDING.get(name, name) for name in self._type.methods}
        return sorted({*super().__dir__(), *methods})


_AVOIDING = {"close": "close_", "closed": "closed_"}
_AVOIDED = frozenset(_AVOIDING.values())
"""Attributes for methods of a guest that have the names of what each `GuestResource` has."""
