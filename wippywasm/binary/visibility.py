"""External visibility: which types of a component have a name that its clients can use.

In: imports and exports in order. Out: whether each may stand where it does. A resource, record, variant, enum or flags
that an import or export uses must itself have come in or gone out by an import or export before; imports count for
both directions, exports for exports only.

Spec: component-model `Explainer.md`, "External Visibility of Types"; `Binary.md`, notes on imports and exports.
"""

from __future__ import annotations

from wippywasm.binary.component import ModuleType
from wippywasm.binary.limits import PARTS_AT_ONCE
from wippywasm.binary.nodes import (
    ComponentNode,
    Entity,
    FuncNode,
    InstanceNode,
    ResNode,
    TypeEntity,
    TypeNode,
    ValNode,
    ValueEntity,
)
from wippywasm.budget import Budget


class Visibility:
    """The named types of one scope; `what` is `import` or `export`, the direction that is asked about.

    `passed` has what types are made of, by identity: a type under a new index shares it with the one that it is.
    `offset` is that of the import or export that is asked about.
    """

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.offset = 0
        self.named: dict[str, set[TypeNode]] = {"import": set(), "export": set()}
        self.passed: dict[str, dict[int, object]] = {"import": {}, "export": {}}
        self.admitted: dict[str, set[InstanceNode]] = {"import": set(), "export": set()}

    def admit(self, what: str, entity: Entity) -> bool:
        """May this import or export stand here? The types that it brings are named from now on."""
        match entity:
            case TypeEntity():
                return self._admit_type(what, entity)
            case InstanceNode():
                return self._admit_instance(what, entity)
            case FuncNode():
                return self._all_named(what, entity)
            case ValueEntity():
                return self._parts_named(what, (entity.type,))
            case ComponentNode() | ModuleType():
                return True

    def _admit_type(self, what: str, entity: TypeEntity) -> bool:
        if not self._all_named(what, entity.referenced):
            return False
        if what == "import":
            self.named["import"].add(entity.created)
        self.named["export"].add(entity.created)
        return True

    def _admit_instance(self, what: str, instance: InstanceNode) -> bool:
        if instance in self.admitted[what]:
            return True
        for entity in instance.exports.values():
            if not self.admit(what, entity):
                return False
        self.admitted[what].add(instance)
        return True

    def _all_named(self, what: str, node: TypeNode) -> bool:
        """Are the types that `node` consists of named? It need not be itself."""
        match node:
            case ResNode() | ComponentNode():
                return True
            case ValNode() | FuncNode():
                return self._parts_named(what, node.parts)
            case InstanceNode():
                return self._all_named_in(what, node)

    def _parts_named(self, what: str, parts: tuple[ValNode | ResNode, ...]) -> bool:
        passed = self.passed[what]
        if id(parts) in passed:
            return True
        self.budget.spend(len(parts) // PARTS_AT_ONCE, self.offset)
        for part in parts:  # no call for each but this: types are as deep as the stack allows
            if isinstance(part, ResNode) or part.is_nominal:
                if part not in self.named[what]:
                    return False
            elif part.parts and not self._parts_named(what, part.parts):
                return False
        passed[id(parts)] = parts
        return True

    def _all_named_in(self, what: str, instance: InstanceNode) -> bool:
        if id(instance.exports) in self.passed[what]:
            return True
        self.budget.spend(len(instance.exports) // PARTS_AT_ONCE, self.offset)
        for entity in instance.exports.values():
            if isinstance(entity, ValueEntity):
                entity = TypeEntity(entity.type, entity.type)
            node = entity.created if isinstance(entity, TypeEntity) else entity
            if not isinstance(node, ModuleType) and not self._all_named(what, node):
                return False
        self.passed[what][id(instance.exports)] = instance.exports
        return True
