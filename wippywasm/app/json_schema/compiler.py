"""Schemas to checks.

In: a schema as a JSON value. Out: nodes, whose checks are made keyword by keyword; SchemaError, with the place in the
schema. What stands beside the keywords that are known is not looked at: anybody may add notes to a schema.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from wippywasm.app.json_schema import arrays, logic, numbers, objects, texts
from wippywasm.app.json_schema.places import Places
from wippywasm.app.json_schema.problems import Place, SchemaError
from wippywasm.app.json_schema.run import Check, Node

Make: TypeAlias = "Callable[[Part], Check | None]"
"""Makes the check of a keyword; None where it needs none of its own."""

MAKERS: Mapping[str, Make] = {**logic.MAKERS, **numbers.MAKERS, **texts.MAKERS, **arrays.MAKERS, **objects.MAKERS}
_REFUSED = ("$dynamicRef", "$recursiveRef", "unevaluatedItems", "unevaluatedProperties")


def compile_schema(document: Any) -> Node:
    """The root of a schema."""
    try:
        return Compiler(document).node(document, ())
    except RecursionError:
        raise SchemaError((), "it is nested too deeply") from None


class Compiler:
    """The schemas of one document, each compiled once: those that refer to themselves too."""

    def __init__(self, document: Any) -> None:
        self._places = Places(document)
        self._nodes: dict[Place, Node] = {}

    def node(self, schema: Any, at: Place) -> Node:
        """The schema at a place of the document."""
        if at not in self._nodes:
            self._nodes[at] = Node()
            self._nodes[at].checks = tuple(self._checks(schema, at))
        return self._nodes[at]

    def referred(self, reference: str, at: Place) -> Node:
        """The schema that a reference leads to."""
        found, schema = self._places.find(reference, at)
        return self.node(schema, found)

    def _checks(self, schema: Any, at: Place) -> list[Check]:
        if isinstance(schema, bool):
            return [] if schema else [logic.nothing]
        if schema == []:
            schema = {}
        if not isinstance(schema, dict):
            raise SchemaError(at, "a schema is an object, or true or false")
        for name in _REFUSED:
            if name in schema:
                raise SchemaError(at, f"there is no {name} here")
        made = (make(Part(self, schema, name, at)) for name, make in MAKERS.items() if name in schema)
        return [check for check in made if check is not None]


class Part:
    """A keyword of a schema: its value, its place, and the schemas below it."""

    def __init__(self, compiler: Compiler, schema: Mapping[str, Any], name: str, at: Place) -> None:
        self._compiler = compiler
        self._schema = schema
        self._at = at
        self.name = name
        self.value = schema[name]

    def error(self, wanted: str) -> SchemaError:
        """What to raise where the value is not what the keyword wants."""
        return SchemaError((*self._at, self.name), f"{self.name} is {wanted}")

    def beside(self, name: str, default: Any) -> Any:
        """The value of another keyword of the same schema."""
        return self._schema.get(name, default)

    def count(self) -> int:
        """The value, a number of things."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float) or self.value < 0 or self.value % 1:
            raise self.error("a whole number, 0 or more")
        return int(self.value)

    def names(self, value: Any = None) -> list[str]:
        """A list of names: the value, or a part of it."""
        names = self.value if value is None else value
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise self.error("a list of names")
        return names

    def mapping(self) -> Mapping[str, Any]:
        """The value, an object; an empty array is one, since Lua does not tell them apart."""
        if self.value == []:
            return {}
        if not isinstance(self.value, dict):
            raise self.error("an object")
        return self.value

    def schema(self) -> Node:
        """The value, a schema."""
        return self._compiler.node(self.value, (*self._at, self.name))

    def sibling(self, name: str) -> Node | None:
        """The schema of another keyword, where there is one."""
        return self._compiler.node(self._schema[name], (*self._at, name)) if name in self._schema else None

    def schemas(self) -> list[Node]:
        """The value, a list of schemas."""
        if not isinstance(self.value, list) or not self.value:
            raise self.error("a list of schemas, and not empty")
        return [self._compiler.node(one, (*self._at, self.name, i)) for i, one in enumerate(self.value)]

    def named_schemas(self) -> dict[str, Node]:
        """The value, schemas by name."""
        return {name: self.below(name) for name in self.mapping()}

    def below(self, name: str) -> Node:
        """The schema of that name in the value."""
        return self._compiler.node(self.value[name], (*self._at, self.name, name))

    def referred(self) -> Node:
        """The schema that the value, a reference, leads to."""
        if not isinstance(self.value, str):
            raise self.error("a text such as #/$defs/name")
        return self._compiler.referred(self.value, (*self._at, self.name))
