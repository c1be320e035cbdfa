"""The `network` field of wasm entries: whom their guests may reach, and what they may listen on.

In: rules of `wippywasm.wasi.network`. Out: what is wrong with one, or None. Spec: SPEC sections 3 and 7.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from wippywasm.app.schema.scope import Scope
from wippywasm.errors import InvalidError

_REACHING = ("wasi:sockets", "wasi:http")


def network_rule(text: str) -> str | None:
    """What is wrong with a rule of `allow`."""
    from wippywasm.wasi.network.rules import parse_rule  # an app of Lua alone needs nothing of it

    return _complaint(parse_rule, text)


def listen_rule(text: str) -> str | None:
    """What is wrong with a rule of `listen`."""
    from wippywasm.wasi.network.rules import parse_local_rule

    return _complaint(parse_local_rule, text)


def unused_network(data: Mapping[str, Any], scope: Scope) -> None:
    """A warning for rules of an entry that imports nothing which reaches a network."""
    imports = data.get("imports") or ()
    if data.get("network") and not any(name.startswith(_REACHING) for name in imports):
        scope.at.child("network").warning("it has no effect without 'wasi:sockets' or 'wasi:http' in 'imports'")


def _complaint(parse: Callable[[str], object], text: str) -> str | None:
    try:
        parse(text)
    except InvalidError as error:
        return str(error)
    return None
