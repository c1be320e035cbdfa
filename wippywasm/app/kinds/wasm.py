"""Wasm functions and processes. Spec: SPEC section 3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wippywasm.app.kinds.hosts import unknown_import
from wippywasm.app.kinds.network import listen_rule, network_rule, unused_network
from wippywasm.app.kinds.pool import POOL
from wippywasm.app.kinds.security import IDENTITY
from wippywasm.app.schema.file_types import Digest, SourceText, absolute_guest_path
from wippywasm.app.schema.kind import Kind
from wippywasm.app.schema.scope import Scope
from wippywasm.app.schema.types import Bool, Choice, Field, Int, ListOf, Ref, Struct, Text, required

_WASI_ENV = Struct({"id": required(Ref(("env.variable",))), "name": required(Text()), "required": Field(Bool())})
_WASI_MOUNT = Struct(
    {
        "fs": required(Ref(("fs.directory",))),
        "guest": required(Text(rule=absolute_guest_path)),
        "read_only": Field(Bool()),
    }
)
_WASI = Struct(
    {
        "args": Field(ListOf(Text(minimum=0))),
        "cwd": Field(Text(rule=absolute_guest_path)),
        "env": Field(ListOf(_WASI_ENV)),
        "mounts": Field(ListOf(_WASI_MOUNT)),
    }
)
_LIMITS = Struct(
    {
        "max_execution_ms": Field(Int(1)),
        "max_memory_mb": Field(Int(1, 1 << 16)),
        "max_table_elements": Field(Int(1)),
        "max_instances": Field(Int(1)),
    }
)

_NETWORK = Struct(
    {"allow": Field(ListOf(Text(rule=network_rule))), "listen": Field(ListOf(Text(rule=listen_rule)))},
    words="a mapping such as {allow: ['api.example.com:443']}",
)

WASM_NAMES = ("function.wat", "function.wasm", "process.wasm")
_RUN = {
    "method": required(Text(words="the name of an export")),
    "wit": Field(SourceText()),
    "pool": POOL,
    "transport": Field(Choice(("payload", "wasi-http"))),
    "with": Field(ListOf(Ref(WASM_NAMES))),
    "imports": Field(ListOf(Text(words="the name of a host import", rule=unknown_import))),
    "wasi": Field(_WASI),
    "network": Field(_NETWORK),
    "limits": Field(_LIMITS),
    "security": IDENTITY,
}
_TEXT = {"source": required(SourceText(words="WebAssembly text, or file://path"))}
_BINARY = {
    "fs": required(Ref(("fs.directory",))),
    "path": required(Text(words="a path in the filesystem entry")),
    "hash": required(Digest()),
}


def _unique(field: str, key: str) -> Any:
    """A rule: no two items of `wasi.<field>` have the same `key`."""

    def rule(data: Mapping[str, Any], scope: Scope) -> None:
        items: Sequence[Mapping[str, Any]] = (data.get("wasi") or {}).get(field) or ()
        seen: set[str] = set()
        for index, item in enumerate(items):
            if item[key] in seen:
                at = scope.at.child(f"wasi.{field}[{index}].{key}")
                at.problem(f"'{item[key]}' is given twice")
            seen.add(item[key])

    return rule


_RULES = (_unique("mounts", "guest"), _unique("env", "name"), unused_network)

WASM_KINDS = (
    Kind("function.wat", {**_TEXT, **_RUN}, rules=_RULES),
    Kind("function.wasm", {**_BINARY, **_RUN}, rules=_RULES),
    Kind("process.wasm", {**_BINARY, **_RUN}, rules=_RULES),
)
