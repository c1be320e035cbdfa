"""HTTP: services, the routers on them, endpoints, and folders of files. Spec: SPEC sections 2 and 12."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from wippywasm.app.http.address import bad_address
from wippywasm.app.http.options import LATER_POST, LATER_PRE, POST, PRE, Options
from wippywasm.app.http.paths import PathError, parse_pattern, split_literal
from wippywasm.app.kinds.lifecycle import LIFECYCLE
from wippywasm.app.schema.durations import Duration
from wippywasm.app.schema.file_types import SourceText
from wippywasm.app.schema.kind import Kind
from wippywasm.app.schema.scope import Scope
from wippywasm.app.schema.types import Anything, Bool, Choice, Field, Int, ListOf, Ref, Struct, Text, required

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE")
HANDLERS = ("function.lua", "function.wat", "function.wasm")

_PEM = "PEM text, or file://path"
_TIMEOUTS = Struct({"read": Field(Duration()), "write": Field(Duration()), "idle": Field(Duration())})
_LIMITS = Struct(
    {
        "max_body_mb": Field(Int(1, 1 << 20)),
        "max_header_kb": Field(Int(1, 1024)),
        "max_requests": Field(Int(1, 1_000_000)),
        "max_connections": Field(Int(1, 1_000_000)),
    }
)
_TLS = Struct(
    {
        "mode": required(Choice(("manual", ""), later=("auto",))),
        "cert": Field(SourceText(_PEM)),
        "key": Field(SourceText(_PEM)),
        "client_ca": Field(SourceText(_PEM)),
        "client_auth": Field(Choice(("verify_if_given", "require_and_verify"), later=("request", "require_any"))),
    }
)
_HOST = Struct({"buffer_size": Field(Int(1)), "worker_count": Field(Int(1))})
_STATIC = Struct({"index": Field(Text()), "spa": Field(Bool()), "cache": Field(Text(rule=lambda t: _bad_header(t)))})


def _rule(parse: Callable[[str], Any]) -> Callable[[str], str | None]:
    def rule(text: str) -> str | None:
        try:
            parse(text)
        except PathError as error:
            return str(error)
        return None

    return rule


def _bad_header(text: str) -> str | None:
    return None if text.isprintable() and text.isascii() else "a header's value is printable ASCII"


def _spa_has_index(data: Mapping[str, Any], scope: Scope) -> None:
    settings = data.get("static_options") or {}
    if settings.get("spa") and "index" not in settings:
        scope.at.child("static_options.index").problem("required, but missing", "'spa' gives that file for every path")


def _parse_prefix(text: str) -> tuple[str, ...]:
    if "{" in text or "}" in text:
        raise PathError("a prefix has no parameters: they belong to the paths of endpoints")
    return split_literal(text)


_PATTERN = Text(words="a path such as /users/{id}", rule=_rule(parse_pattern))
_PREFIX = Text(words="a path such as /api", rule=_rule(_parse_prefix))
_SERVER = {"server": Field(Ref(("http.service",)))}
_CHAIN = {
    "middleware": Field(ListOf(Choice(tuple(PRE), later=LATER_PRE))),
    "options": Field(Options(PRE)),
}

HTTP_KINDS = (
    Kind(
        "http.service",
        {
            "addr": required(Text(words="an address such as ':8080'", rule=bad_address)),
            "timeouts": Field(_TIMEOUTS),
            "limits": Field(_LIMITS),
            "host": Field(_HOST),
            "tls": Field(_TLS),
            "network": Field(Anything(), later="'network'"),
            "lifecycle": LIFECYCLE,
        },
    ),
    Kind(
        "http.router",
        {
            "prefix": Field(_PREFIX),
            **_CHAIN,
            "post_middleware": Field(ListOf(Choice(tuple(POST), later=LATER_POST))),
            "post_options": Field(Options(POST)),
        },
        meta=_SERVER,
    ),
    Kind(
        "http.endpoint",
        {"method": required(Choice(METHODS)), "path": required(_PATTERN), "func": required(Ref(HANDLERS))},
        meta={"router": Field(Ref(("http.router",)))},
    ),
    Kind(
        "http.static",
        {
            "path": required(_PREFIX),
            "fs": required(Ref(("fs.directory",))),
            "static_options": Field(_STATIC),
            **_CHAIN,
        },
        meta=_SERVER,
        rules=(_spa_has_index,),
    ),
)
