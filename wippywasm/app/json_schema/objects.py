"""Keywords for objects.

In: a keyword of a schema. Out: its check. Spec: JSON Schema 2020-12, core section 10.3.2, validation section 6.5.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from wippywasm.app.json_schema.problems import Place, Problem
from wippywasm.app.json_schema.run import Check, Node, Run
from wippywasm.app.json_schema.texts import counted, is_found, regex

if TYPE_CHECKING:
    from wippywasm.app.json_schema.compiler import Make, Part


def _required(part: Part) -> Check | None:
    if isinstance(part.value, bool):  # draft 3 wrote it into the property
        return None
    names = part.names()

    def check(value: Any, at: Place, run: Run) -> Iterator[Problem]:
        if run.is_object(value):
            yield from (Problem((*at, name), "is required, and missing") for name in names if name not in value)

    return check


def _properties(part: Part) -> Check:
    nodes = part.named_schemas()

    def check(value: Any, at: Place, run: Run) -> Iterator[Problem]:
        if run.is_object(value):
            for name, node in nodes.items():
                if name in value:
                    yield from run.problems(node, value[name], (*at, name))

    return check


def _pattern_properties(part: Part) -> Check:
    nodes = [(regex(part, pattern), node) for pattern, node in part.named_schemas().items()]

    def check(value: Any, at: Place, run: Run) -> Iterator[Problem]:
        for name in value if run.is_object(value) else ():
            for pattern, node in nodes:
                if is_found(pattern, name, run):
                    yield from run.problems(node, value[name], (*at, name))

    return check


def _additional_properties(part: Part) -> Check:
    node, known = part.schema(), part.beside("properties", {})
    patterns = [regex(part, pattern) for pattern in part.beside("patternProperties", {})]
    nothing = part.value is False

    def check(value: Any, at: Place, run: Run) -> Iterator[Problem]:
        for name in value if run.is_object(value) else ():
            if name in known or any(is_found(pattern, name, run) for pattern in patterns):
                continue
            if nothing:
                yield Problem((*at, name), "there is no such field")
            else:
                yield from run.problems(node, value[name], (*at, name))

    return check


def _property_names(part: Part) -> Check:
    node = part.schema()

    def check(value: Any, at: Place, run: Run) -> Iterator[Problem]:
        for name in value if run.is_object(value) else ():
            problem = run.problem_in(node, name, ())
            if problem is not None:
                yield Problem((*at, name), f"is a name that may not be: {problem}")

    return check


def _need_names(needs: Mapping[str, list[str]]) -> Check:
    def check(value: Any, at: Place, run: Run) -> Iterator[Problem]:
        for name, others in needs.items() if run.is_object(value) else ():
            for other in others if name in value else ():
                if other not in value:
                    yield Problem((*at, other), f"is required where there is {name}, and missing")

    return check


def _need_schemas(needs: Mapping[str, Node]) -> Check:
    def check(value: Any, at: Place, run: Run) -> Iterator[Problem]:
        for name, node in needs.items() if run.is_object(value) else ():
            if name in value:
                yield from run.problems(node, value, at)

    return check


def _dependencies(part: Part) -> Check:
    """What the two keywords after it were before 2019-09."""
    lists = {name: part.names(names) for name, names in part.mapping().items() if isinstance(names, list)}
    names = _need_names(lists)
    schemas = _need_schemas({name: part.below(name) for name in part.mapping() if name not in lists})

    def check(value: Any, at: Place, run: Run) -> Iterator[Problem]:
        yield from names(value, at, run)
        yield from schemas(value, at, run)

    return check


MAKERS: Mapping[str, Make] = {
    "minProperties": counted(dict, "fields", is_least=True),
    "maxProperties": counted(dict, "fields", is_least=False),
    "required": _required,
    "properties": _properties,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "propertyNames": _property_names,
    "dependentRequired": lambda part: _need_names({name: part.names(v) for name, v in part.mapping().items()}),
    "dependentSchemas": lambda part: _need_schemas(part.named_schemas()),
    "dependencies": _dependencies,
}
