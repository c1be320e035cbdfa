"""Plain data. Spec: SPEC section 2."""

from __future__ import annotations

from wippywasm.app.schema.kind import Kind

DATA_KINDS = (Kind("registry.entry", {}, is_open=True),)
