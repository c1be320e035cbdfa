"""The `pool` field, shared by wasm and Lua functions. Spec: SPEC section 4."""

from __future__ import annotations

from wippywasm.app.schema.types import Choice, Field, Int, Struct, Text

MAX_WORKERS = 10_000

POOL = Field(
    Struct(
        {
            "type": Field(Choice(("inline", "lazy", "static"), later=("adaptive",))),
            "size": Field(Int(1, MAX_WORKERS)),
            "workers": Field(Int(0, MAX_WORKERS)),
            "max_size": Field(Int(1, MAX_WORKERS)),
            "buffer": Field(Int(1)),
            "worker_class": Field(Text(), later="'worker_class' (threads of their own)"),
        },
        words="a mapping such as {type: lazy, max_size: 4}",
    )
)
