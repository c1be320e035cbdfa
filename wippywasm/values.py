"""Python values that stand for WIT values which Python has no word for.

In: nothing but the payloads. Out: small immutable classes with structural equality.
The rest of the mapping (`dict` for records, `set` of names for flags, …) is plain Python.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Variant:
    """A case of a `variant`: its name and, where the case has one, its payload."""

    case: str
    payload: Any = None


@dataclass(frozen=True, slots=True)
class Some:
    """A present `option` whose own payload may be absent; used only where options nest."""

    value: Any


@dataclass(frozen=True, slots=True)
class Ok:
    """The good half of a `result` that is nested in another value."""

    value: Any = None


@dataclass(frozen=True, slots=True)
class Err:
    """The bad half of a `result` that is nested in another value."""

    value: Any = None
