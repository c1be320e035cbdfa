"""Keywords for every value: what kind it is, which it is, and what other schemas say of it.

In: a keyword of a schema. Out: its check. Spec: JSON Schema 2020-12, core section 10.2, validation section 6.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from wippywasm.app.json_schema.problems import Place, Problem
from wippywasm.app.json_schema.run import MAX_STEPS, Check, Run
from wippywasm.app.json_values.words import got_words
from wippywasm.app.suggest import listing

if TYPE_CHECKING:
    from wippywasm.app.json_schema.compiler import Make, Part

TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")


def nothing(value: Any, at: Place, run: Run) -> Iterator[Problem]:
    """The check of the schema `false`."""
    yield Problem(at, "nothing may be here")


def kinds_of(value: Any) -> tuple[str, ...]:
    """What `type` calls a value."""
    match value:
        case None:
            return ("null",)
        case bool():
            return ("boolean",)
        case int() | float():
            return ("integer", "number") if value % 1 == 0 else ("number",)
        case str():
            return ("string",)
        case list():
            return ("array",)
        case _:
            return ("object",)


def _type(part: Part) -> Check:
    wanted = tuple(part.names([part.value] if isinstance(part.value, str) else part.value))
    if not wanted or any(name not in TYPES for name in wanted):
        raise part.error(f"one or some of {listing(TYPES)}")

    def check(value: Any, at: Place, run: Run) -> Iterator[Problem]:
        if not any(kind in wanted for kind in kinds_of(value)) and not ("object" in wanted and run.is_object(value)):
            yield Problem(at, f"expected {' or '.join(wanted)}, got {got_words(value)}")

    return check


def _one_of_values(part: Part, values: list[Any], words: str) -> Check:
    compiled = Run(MAX_STEPS)
    keys = {compiled.key(value) for value in values}

    def check(value: Any, at: Place, run: Run) -> Iterator[Problem]:
        is_one = run.key(value) in keys or (run.is_object(value) and run.key(dict(value)) in keys)
        if not is_one:
            yield Problem(at, f"expected {words}, got {got_words(value)}")

    return check


def _enum(part: Part) -> Check:
    if not isinstance(part.value, list):
        raise part.error("a list of values")
    shown = ", ".join(got_words(value) for value in part.value[:10])
    return _one_of_values(part, part.value, f"one of {shown}{', …' if len(part.value) > 10 else ''}")


def _const(part: Part) -> Check:
    return _one_of_values(part, [part.value], got_words(part.value))


def _ref(part: Part) -> Check:
    node = part.referred()
    return lambda value, at, run: run.problems(node, value, at)


def _all_of(part: Part) -> Check:
    nodes = part.schemas()

    def check(value: Any, at: Place, run: Run) -> Iterator[Problem]:
        for node in nodes:
            yield from run.problems(node, value, at)

    return check


def _any_of(part: Part) -> Check:
    nodes = part.schemas()

    def check(value: Any, at: Place, run: Run) -> Iterator[Problem]:
        first = None
        for node in nodes:
            problem = run.problem_in(node, value, at)
            if problem is None:
                return
            first = first or problem
        yield Problem(at, f"fits none of {len(nodes)} schemas; the first has: {first}")

    return check


def _one_of(part: Part) -> Check:
    nodes = part.schemas()

    def check(value: Any, at: Place, run: Run) -> Iterator[Problem]:
        count = sum(run.fits(node, value, at) for node in nodes)
        if count != 1:
            yield Problem(at, f"fits {count or 'none'} of {len(nodes)} schemas, where exactly one is wanted")

    return check


def _not(part: Part) -> Check:
    node = part.schema()

    def check(value: Any, at: Place, run: Run) -> Iterator[Problem]:
        if run.fits(node, value, at):
            yield Problem(at, "fits a schema that it must not fit")

    return check


def _if(part: Part) -> Check:
    condition, then, otherwise = part.schema(), part.sibling("then"), part.sibling("else")

    def check(value: Any, at: Place, run: Run) -> Iterator[Problem]:
        node = then if run.fits(condition, value, at) else otherwise
        if node is not None:
            yield from run.problems(node, value, at)

    return check


def _definitions(part: Part) -> None:
    """They are compiled, so that mistakes in them are told, and looked at where a reference leads to them."""
    part.named_schemas()


MAKERS: Mapping[str, Make] = {
    "$defs": _definitions,
    "definitions": _definitions,
    "$ref": _ref,
    "type": _type,
    "enum": _enum,
    "const": _const,
    "allOf": _all_of,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "not": _not,
    "if": _if,
}
