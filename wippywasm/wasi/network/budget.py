"""What one network gives its guests at once: sockets, requests, bytes of headers.

In: limits. Out: counters that refuse.

Spec: SPEC section 7.
"""

from __future__ import annotations

import threading

from wippywasm.dataclass import dataclass
from wippywasm.wasi.given import COUNT, check


@dataclass(frozen=True)
class Quotas:
    """For all guests of one `Network` together.

    `sockets`: open at once, those behind requests too. `lookups`: names being looked up at once. `messages`: HTTP
    requests and responses that guests hold. `field_bytes`: bytes of the HTTP fields that they hold.
    """

    sockets: int = 256
    lookups: int = 16
    messages: int = 1024
    field_bytes: int = 16 << 20

    def __post_init__(self) -> None:
        """Raise InvalidError for what is no number of them."""
        check(dict.fromkeys(vars(self), COUNT), vars(self))


class Budget:
    """So many of something; what was taken is given back, perhaps by another thread."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.taken = 0
        self._lock = threading.Lock()

    def take(self, count: int = 1) -> bool:
        """Take some; False, and none are taken, where there are not so many left."""
        with self._lock:
            if self.taken + count > self.limit:
                return False
            self.taken += count
            return True

    def give(self, count: int = 1) -> None:
        """Give back what was taken."""
        with self._lock:
            self.taken -= count
