"""A schema that is ready to look at values.

In: its text. Out: the problems of values. Spec: SPEC section 11 (`json`).
"""

from __future__ import annotations

from itertools import islice

from wippywasm.app.json_schema.compiler import compile_schema
from wippywasm.app.json_schema.problems import Problem
from wippywasm.app.json_schema.run import MAX_STEPS, Run
from wippywasm.app.json_values.text import parse_json

MAX_PROBLEMS = 20
"""How many are told of."""
_STEPS = 50_000
_STEPS_PER_CHARACTER = 10


class Schema:
    """Raises SchemaError for a text that is no schema, InvalidError for one that is not JSON."""

    def __init__(self, text: str) -> None:
        self._root = compile_schema(parse_json(text, "the schema"))

    def problems(self, text: str, *, is_loose: bool = False) -> list[Problem]:
        """What is wrong with the value of a JSON text, the first few of it; nothing where it is as the schema says.

        Where `is_loose`, an empty array stands for an empty object too. Raises InvalidError for what is not JSON, and
        for a value that the schema takes too many steps for.
        """
        value = parse_json(text, "the value")
        run = Run(min(_STEPS + _STEPS_PER_CHARACTER * len(text), MAX_STEPS), is_loose=is_loose)
        return list(islice(run.problems(self._root, value, ()), MAX_PROBLEMS))
