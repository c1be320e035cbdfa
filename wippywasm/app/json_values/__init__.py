"""JSON and WIT values: what people type and read, and what functions take and give.

In: JSON values and WIT types. Out: Python values of SPEC section 5, and back. `docs/entries.md` has the table.
"""

from __future__ import annotations

from wippywasm.app.json_values.from_json import arguments_from_json, value_from_json
from wippywasm.app.json_values.text import dump_json, parse_json
from wippywasm.app.json_values.to_json import untyped_to_json, value_to_json

__all__ = [
    "arguments_from_json",
    "dump_json",
    "parse_json",
    "untyped_to_json",
    "value_from_json",
    "value_to_json",
]
