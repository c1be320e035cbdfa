"""JSON Schema: whether a JSON value is as a schema says.

In: the text of a schema (draft 2020-12, and what older drafts wrote otherwise), texts of values. Out: nothing, or the
places where a value is not as it should be. Whatever the schema and the value are, the work is bounded.

    problems      a place in a value, and what is wrong there
    run           one validation: what it may still do
    compiler      a schema's text to checks, one for each keyword
    places        what `$ref` leads to
    numbers, texts, arrays, objects, logic
                  the checks of keywords
    formats       what `format` names

Not there: references to other documents, `$dynamicRef`, `unevaluatedItems`, `unevaluatedProperties`. A schema with one
of them is refused. Spec: SPEC section 11 (`json`).
"""

from wippywasm.app.json_schema.problems import Problem, SchemaError
from wippywasm.app.json_schema.schema import Schema

__all__ = ["Problem", "Schema", "SchemaError"]
