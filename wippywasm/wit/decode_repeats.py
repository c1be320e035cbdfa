"""Whether a binary package says the same thing twice.

In: a type or function of an interface, and what another place in the package says it is. Out: whether both are equal:
up to names of types, as a component that is given the one for the other would see it.
Spec: `Explainer.md` (type equality).
"""

from __future__ import annotations

from wippywasm.wit.flatten import Flattener
from wippywasm.wit.resolved import Function, TypeDef


class Repeats:
    """Compares for one package; each type is walked once."""

    def __init__(self) -> None:
        self._types = Flattener()

    def is_same_type(self, known: TypeDef, again: TypeDef) -> bool:
        """Resources are the same where one name is for the other, or both are introduced here."""
        if known.is_resource and again.is_resource:
            return again.root is known.root or (again.root is again and known.root is known)
        if known.is_resource or again.is_resource:
            return False
        return self._types.type(known) is self._types.type(again)

    def is_same_function(self, known: Function, again: Function) -> bool:
        return self._types.function(known) is self._types.function(again)
