"""JSON and WIT values: what people type and read, and what functions take and give.

In: JSON values and WIT types. Out: Python values of SPEC section 5, and back. `docs/values.md` has the table.
`text` reads and writes JSON, `from_json` and `to_json` go by a type, `untyped` without one.
"""
