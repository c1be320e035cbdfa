"""One condition of a policy: a field, an operator, and a value or another field.

In: a request. Out: whether it holds. Spec: SPEC section 10.
"""

from __future__ import annotations

from typing import Any

from wippywasm.app.security.operators import OPERATORS, PRESENCE
from wippywasm.app.security.request import MISSING, FieldPath, Request
from wippywasm.dataclass import dataclass


@dataclass(frozen=True)
class Condition:
    """`value` is what `field` is compared with, a `Regex` for a pattern; or `value_from` says where that stands."""

    field: FieldPath
    operator: str
    value: Any = None
    value_from: FieldPath | None = None

    def holds(self, request: Request) -> bool:
        """Whether it holds; raises UndecidableError for values that can't be compared."""
        value = self.field.of(request)
        if value is MISSING and self.operator not in PRESENCE:
            return False
        other = self.value if self.value_from is None else self.value_from.of(request)
        return OPERATORS[self.operator](value, other)
