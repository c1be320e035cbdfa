"""The `lifecycle` field: how what runs for long is started, stopped, and started again.

Spec: SPEC section 9.
"""

from __future__ import annotations

from wippywasm.app.schema.durations import Duration, Number
from wippywasm.app.schema.types import Anything, Bool, Choice, Field, Int, ListOf, MapOf, Ref, Struct, Text, required

SERVICES = ("process.service", "process.host", "terminal.host", "http.service")
"""What may be waited for: it runs, or it holds what runs."""

_RESTART = Struct(
    {
        "initial_delay": Field(Duration()),
        "max_delay": Field(Duration()),
        "backoff_factor": Field(Number(1, 1000)),
        "jitter": Field(Number(0, 1)),
        "max_attempts": Field(Int(0)),
    }
)
_ACTOR = Struct({"id": required(Text()), "meta": Field(MapOf(Anything()))})
_SECURITY = Struct(
    {
        "actor": Field(_ACTOR),
        "groups": Field(ListOf(Text())),
        "policies": Field(ListOf(Ref(("security.policy",)))),
    }
)
_FIELDS = {
    "auto_start": Field(Bool()),
    "startup": Field(Choice(("required", "optional"))),
    "start_timeout": Field(Duration()),
    "stop_timeout": Field(Duration()),
    "stable_threshold": Field(Duration()),
    "requires": Field(ListOf(Ref(SERVICES))),
    "depends_on": Field(ListOf(Ref(SERVICES))),
    "restart": Field(_RESTART),
    "security": Field(_SECURITY),
}

LIFECYCLE = Field(Struct(_FIELDS, words="a mapping such as {auto_start: true}"))
