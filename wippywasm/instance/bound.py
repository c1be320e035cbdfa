"""Types of functions with Python classes in them, as `bindings` finds them.

In: types. Out: data; empty where a component has no bindings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from wippywasm.dataclass import dataclass
from wippywasm.model import FuncType, ResourceType


@dataclass(frozen=True, eq=False)
class Bound:
    """Types of one plan's functions with classes in them: exports by key, imports by their numbers in the plan."""

    exports: Mapping[str, FuncType] = field(default_factory=dict)
    imports: Mapping[int, FuncType] = field(default_factory=dict)
    resources: Mapping[ResourceType, type[Any]] = field(default_factory=dict)
