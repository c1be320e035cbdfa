"""The `lifecycle` field: how what runs for long is started, stopped, and started again.

Spec: SPEC section 9.
"""

from __future__ import annotations

from wippywasm.app.kinds.security import IDENTITY
from wippywasm.app.schema.durations import Duration, Number
from wippywasm.app.schema.types import Bool, Choice, Field, Int, ListOf, Ref, Struct

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
_FIELDS = {
    "auto_start": Field(Bool()),
    "startup": Field(Choice(("required", "optional"))),
    "start_timeout": Field(Duration()),
    "stop_timeout": Field(Duration()),
    "stable_threshold": Field(Duration()),
    "requires": Field(ListOf(Ref(SERVICES))),
    "depends_on": Field(ListOf(Ref(SERVICES))),
    "restart": Field(_RESTART),
    "security": IDENTITY,
}

LIFECYCLE = Field(Struct(_FIELDS, words="a mapping such as {auto_start: true}"))
