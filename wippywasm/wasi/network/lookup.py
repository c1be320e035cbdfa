"""Names to addresses.

In: a normal host name. Out: its addresses, found in a thread, or why there are none.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import TypeAlias

from wippywasm.wasi.network.addresses import Address, parse_address

Resolver: TypeAlias = "Callable[[str], Sequence[str]]"
"""Called in a thread, so it may block: a name in, addresses out, in the order to try them; raises OSError."""
MAX_ADDRESSES = 64


def system_resolver(name: str) -> Sequence[str]:
    """What the operating system knows of a name. `localhost` is this machine, whatever a name server says."""
    if name == "localhost":
        return ("127.0.0.1", "::1")
    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def resolve(resolver: Resolver, name: str) -> list[Address]:
    """The addresses of a name, each once; blocks, and raises what the resolver raises."""
    found = (parse_address(text) for text in resolver(name)[:MAX_ADDRESSES])
    return list(dict.fromkeys(a for a in found if a is not None))
