"""The `pool` field of wasm functions, and that of Lua functions. Spec: SPEC section 4."""

from __future__ import annotations

from wippywasm.app.schema.types import Choice, Field, Int, Struct

MAX_WORKERS = 10_000

_WORDS = "a mapping such as {type: lazy, max_size: 4}"
_FIELDS = {
    "type": Field(Choice(("inline", "lazy", "static", "adaptive"))),
    "size": Field(Int(1, MAX_WORKERS)),
    "workers": Field(Int(0, MAX_WORKERS)),
    "max_size": Field(Int(1, MAX_WORKERS)),
    "buffer": Field(Int(1)),
}

LUA_POOL = Field(Struct(_FIELDS, words=_WORDS))
POOL = Field(Struct({**_FIELDS, "worker_class": Field(Choice(("wasm",)))}, words=_WORDS))
