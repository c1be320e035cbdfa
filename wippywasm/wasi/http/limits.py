"""How much one HTTP message may be, and how long one may take.

In: numbers of the owner. Out: `HttpLimits`.

Spec: SPEC sections 7 and 12.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from wippywasm.dataclass import dataclass
from wippywasm.wasi.given import COUNT, SECONDS, Kind, at_least, check


@dataclass(frozen=True)
class HttpLimits:
    """Sizes in bytes, times in seconds. A guest may ask for shorter times than these, not for longer ones.

    `head`: a message's start line and fields together, and its trailers. `fields`: how many fields. `response`: the
    body of a response to a guest. `buffer`: what is kept of a body between two who are not equally fast.
    `total_timeout`: a whole exchange, from the guest's request to the end of the response's body, however steadily
    bytes come; `float("inf")` for no bound.
    """

    head: int = 64 << 10
    fields: int = 256
    response: int = 256 << 20
    buffer: int = 64 << 10
    connect_timeout: float = 30.0
    first_byte_timeout: float = 300.0
    between_bytes_timeout: float = 300.0
    total_timeout: float = 900.0

    def __post_init__(self) -> None:
        """Raise InvalidError for what is no size or time."""
        check(_KINDS, vars(self))


_KINDS: Final[Mapping[str, Kind]] = {
    "head": at_least(1),
    "fields": COUNT,
    "response": COUNT,
    "buffer": at_least(1),
    "connect_timeout": SECONDS,
    "first_byte_timeout": SECONDS,
    "between_bytes_timeout": SECONDS,
    "total_timeout": SECONDS,
}
