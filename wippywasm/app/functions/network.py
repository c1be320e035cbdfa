"""The network of one entry's guests: its rules, then the policies of whoever the guest acts for.

In: the `network` field of an entry, a guard. Out: a `Network` that asks `network.connect` of `host:port` for each
connection and each datagram that the rules allow; what is refused goes to the audit. Spec: SPEC sections 7 and 10.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from wippywasm.app.context import current
from wippywasm.app.security import Guard
from wippywasm.app.security.audit import Denial
from wippywasm.wasi.network import Decision, Network
from wippywasm.wasi.network.guard import POLICY_REFUSES

ACTION = "network.connect"


def entry_network(field: Mapping[str, Sequence[str]], guard: Guard) -> Network:
    """The network that a checked field describes; nothing is reachable where it is empty."""
    return Network(
        field.get("allow") or (),
        listen=field.get("listen") or (),
        audit=partial(_audit, guard),
        policy=lambda host, port: guard.allows(ACTION, place(host, port)),
    )


def place(host: str, port: int) -> str:
    """`host:port` as policies name it; an IPv6 address stands in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _audit(guard: Guard, decision: Decision) -> None:
    """What policies refuse, the guard has told already."""
    if decision.allowed or decision.why == POLICY_REFUSES:
        return
    context = current()
    actor = None if context.actor is None else context.actor.id
    action = ACTION if decision.action == "send" else f"network.{decision.action}"
    resource = place(decision.host, decision.port) if decision.port else decision.host
    guard.record(Denial(action, resource, actor, None, decision.why, context.entry, context.pid))
