"""Token stores, and the memory that they keep their tokens in. Spec: SPEC section 10."""

from __future__ import annotations

from wippywasm.app.kinds.lifecycle import LIFECYCLE
from wippywasm.app.schema.durations import Duration
from wippywasm.app.schema.kind import Kind
from wippywasm.app.schema.types import Field, Int, Ref, Text, required

TOKEN_KINDS = (
    Kind(
        "security.token_store",
        {
            "store": required(Ref(("store.memory",))),
            "token_length": Field(Int(16, 1024)),
            "default_expiration": Field(Duration()),
            "token_key": Field(Text(words="a key of at least 16 characters, such as ${env:NAME}", minimum=16)),
        },
    ),
    Kind(
        "store.memory",
        {"max_size": Field(Int()), "cleanup_interval": Field(Duration()), "lifecycle": LIFECYCLE},
    ),
)
