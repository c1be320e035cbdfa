"""Python values that stand for WIT values which Python has no word for.

In: nothing but the payloads. Out: small immutable classes with structural equality.
The rest of the mapping (`dict` for records, `set` of names for flags, …) is plain Python.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic

from wippywasm.dataclass import dataclass

if TYPE_CHECKING:
    from typing_extensions import TypeVar  # the checker's own: nothing to install

    T = TypeVar("T", default=Any, covariant=True)
else:
    from typing import TypeVar

    T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Variant:
    """A case of a `variant`: its name and, where the case has one, its payload."""

    case: str
    payload: Any = None


@dataclass(frozen=True, slots=True)
class Some(Generic[T]):
    """A present `option` whose own payload may be absent; used only where options nest."""

    value: T


@dataclass(frozen=True, slots=True)
class Ok(Generic[T]):
    """The good half of a `result` that is nested in another value."""

    value: T = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Err(Generic[T]):
    """The bad half of a `result` that is nested in another value."""

    value: T = None  # type: ignore[assignment]
