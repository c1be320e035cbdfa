"""External visibility: which types of a component have a name that its clients can use.

In: imports and exports in order. Out: whether each may stand where it does. A resource, record, variant, enum or flags
that an import or export uses must itself have come in or gone out by an import or export before; imports count for
both directions, exports for exports only.

Spec: component-model `Explainer.md`, "External Visibility of Types"; `Binary.md`, notes on imports and exports.
"""

from __future__ import annotations

from wippywasm.binary.component import ModuleType
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


class Visibility:
    """The named types of one scope; `what` is `import` or `export`, the direction that is asked about."""

    def __init__(self) -> None:
        self.named: dict[str, set[TypeNode]] = {"import": set(), "export": set()}
        self.passed: dict[str, set[object]] = {"import": set(), "export": set()}
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
                return self._named(what, entity.type)
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
                return all(self._named(what, part) for part in node.parts)
            case InstanceNode():
                return self._all_named_in(what, node)

    def _all_named_in(self, what: str, instance: InstanceNode) -> bool:
        if instance in self.passed[what]:
            return True
        for entity in instance.exports.values():
            if isinstance(entity, ValueEntity):
                entity = TypeEntity(entity.type, entity.type)
            node = entity.created if isinstance(entity, TypeEntity) else entity
            if not isinstance(node, ModuleType) and not self._all_named(what, node):
                return False
        self.passed[what].add(instance)
        return True

    def _named(self, what: str, node: ValNode | ResNode) -> bool:
        passed = self.passed[what]
        if node in passed:
            return True
        if isinstance(node, ResNode) or node.is_nominal:
            return node in self.named[what]
        for part in node.parts:  # no call for each but this: types are as deep as the stack allows
            if not self._named(what, part):
                return False
        passed.add(node)
        return True
