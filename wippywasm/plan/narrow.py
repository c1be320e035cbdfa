"""Instances under a type that speaks of less than they hold, as an import or an ascribed export may have.

In: an item and the type that it goes by. Out: the item, without what the type does not speak of.

Instances and types are graphs that share their parts, and what they stand for may be thousands of times as large. So a
pair is entered once in a plan, and not at all where both hold equally many: a type that fits speaks of nothing more.

Spec: `Explainer.md` (type checking: instance subtyping, ascription).
"""

from __future__ import annotations

from wippywasm.binary.component import ExternType, InstanceType
from wippywasm.plan.growth import Growth
from wippywasm.plan.items import Item, PlanInstance


class Narrowing:
    """Narrows the instances of one plan; remembers each with its type, by identity."""

    def __init__(self, growth: Growth) -> None:
        self._growth = growth
        self._sizes: dict[int, tuple[InstanceType, int]] = {}
        self._done: dict[tuple[int, int], tuple[PlanInstance, InstanceType, PlanInstance]] = {}

    def narrowed(self, item: Item, type: ExternType) -> Item:
        """The item itself where `type` speaks of all of it."""
        if isinstance(item, PlanInstance) and isinstance(type, InstanceType) and item.size != self._size(type):
            known = self._done.get((id(item), id(type)))
            if known is None:
                known = self._done[id(item), id(type)] = (item, type, self._narrow(item, type))
            return known[2]
        return item

    def _narrow(self, item: PlanInstance, type: InstanceType) -> PlanInstance:
        self._growth.narrow(len(item.exports))
        types = type.exports
        return PlanInstance({n: self.narrowed(part, types[n]) for n, part in item.exports.items() if n in types})

    def _size(self, type: InstanceType) -> int:
        """How many items an instance of this type has, with those of the instances in it."""
        known = self._sizes.get(id(type))
        if known is None:
            inner = sum([self._size(part) for part in type.exports.values() if isinstance(part, InstanceType)])
            known = self._sizes[id(type)] = (type, len(type.exports) + inner)
        return known[1]
