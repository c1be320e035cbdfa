"""The imports or the exports of one scope: names that are apart, and functions that fit their annotated names.

In: a parsed name and what it denotes. Out: the ordered mapping of one scope, or `ValidationError` for a name that
conflicts, or an annotated name whose function does not fit its resource.

Spec: component-model `Binary.md`, import and export definitions (notes).
"""

from __future__ import annotations

from array import array
from collections.abc import Callable

from wippywasm.binary.closed import Closed
from wippywasm.binary.limits import MAX_TYPE_SIZE
from wippywasm.binary.name_parts import NameSyntaxError
from wippywasm.binary.names import ExternName, NameSet
from wippywasm.binary.nodes import Entity, FuncNode, ResNode, TypeEntity, ValNode, size_of
from wippywasm.errors import ValidationError
from wippywasm.model import BorrowType, OwnType, ResultType


def too_large(offset: int) -> ValidationError:
    """The error for the type of a component, an instance, a value or a function."""
    return ValidationError(f"the type is too large: at most {MAX_TYPE_SIZE} nodes are allowed", offset)


class ExternSpace:
    """Imports or exports; `what` is `import` or `export`, `unique` of a label what must differ from others."""

    def __init__(self, what: str, unique: Callable[[str], str]) -> None:
        self.what = what
        self.entities: dict[str, Entity] = {}
        self.offsets = array("Q")
        self.size = 1
        self.names = NameSet(what, unique)
        self.resource_names: dict[ResNode, str] = {}
        self.resource_labels: set[str] = set()

    def add(self, name: ExternName, entity: Entity, offset: int) -> None:
        """Take an import or export whose name has been parsed."""
        self.check_annotation(name, entity, offset)
        self.size += size_of(entity)
        if self.size > MAX_TYPE_SIZE:  # before more of what is too large in the end
            raise too_large(offset)
        try:
            self.names.add(name)
        except NameSyntaxError as error:
            raise ValidationError(str(error), offset) from None
        self.entities[name.text] = entity
        self.offsets.append(offset)

    def name_resource(self, name: ExternName, entity: Entity) -> None:
        """Let annotated names refer to a resource by the name that it came in or went out by."""
        if isinstance(entity, TypeEntity) and isinstance(entity.created, ResNode) and name.kind == "label":
            self.resource_names[entity.created] = name.text
            self.resource_labels.add(name.text)

    def check_closed(self, closed: Closed) -> None:
        """`ValidationError` for the first that mentions a resource which clients have no name for."""
        for (name, entity), offset in zip(self.entities.items(), self.offsets):
            if not closed.holds(entity, offset):
                raise ValidationError(
                    f"{self.what} `{name}` uses a resource that has no name outside of the component",
                    offset,
                    hint="import or export the resource itself before it",
                )

    def check_annotation(self, name: ExternName, entity: Entity, offset: int) -> None:
        """Check what `[constructor]`, `[method]` and `[static]` say of a function."""
        if self.what == "export" and name.is_dependency:
            raise ValidationError(f"name `{name.text}` is not a valid export name", offset)
        if name.kind not in ("constructor", "method", "static"):
            return
        place = f"{self.what} `{name.text}`"
        if not isinstance(entity, FuncNode):
            raise ValidationError(f"{place} is not a func", offset)
        if name.kind == "static":
            if name.resource not in self.resource_labels:
                raise ValidationError(f"{place}: static resource name is not known in this context", offset)
            return
        resource = _constructed(entity, place, offset) if name.kind == "constructor" else _self(entity, place, offset)
        self._check_resource(resource, name.resource, place, offset)

    def _check_resource(self, resource: ResNode, label: str, place: str, offset: int) -> None:
        found = self.resource_names.get(resource)
        if found is None:
            raise ValidationError(f"{place}: resource used in function does not have a name in this context", offset)
        if found != label:
            raise ValidationError(f"{place}: function does not match expected resource name `{found}`", offset)


def _constructed(func: FuncNode, place: str, offset: int) -> ResNode:
    """The resource that a constructor returns."""
    if func.type.is_async:
        raise ValidationError(f"{place}: constructor function cannot be async", offset)
    if func.type.result is None:
        raise ValidationError(f"{place}: function should return one value", offset)
    result = func.parts[-1]
    if isinstance(result.type, ResultType) and result.type.ok is not None:
        result = _val(result)
    if not isinstance(result.type, OwnType):
        raise ValidationError(f"{place}: function should return `(own $T)` or `(result (own $T))`", offset)
    return _resource(result)


def _self(func: FuncNode, place: str, offset: int) -> ResNode:
    """The resource that a method borrows."""
    if not func.type.params:
        raise ValidationError(f"{place}: function should have at least one argument", offset)
    if func.type.params[0].name != "self":
        raise ValidationError(f"{place}: function should have a first argument called `self`", offset)
    if not isinstance(func.parts[0].type, BorrowType):
        raise ValidationError(f"{place}: function should take a first argument of `(borrow $T)`", offset)
    return _resource(func.parts[0])


def _val(node: ValNode) -> ValNode:
    part = node.parts[0]
    assert isinstance(part, ValNode)
    return part


def _resource(node: ValNode) -> ResNode:
    part = node.parts[0]
    assert isinstance(part, ResNode)
    return part
