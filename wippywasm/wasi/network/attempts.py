"""What a guest attempts on a network, and what became of it.

In: an attempt. Out: `Decision`s, which an audit gets, and which become an error for the guest.

Spec: SPEC section 7.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from wippywasm.dataclass import dataclass
from wippywasm.errors import PermissionDeniedError

Action: TypeAlias = Literal["resolve", "connect", "send", "bind", "listen"]
"""`resolve` asks for a name's addresses, `send` is a datagram, the rest are as in the sockets' own words."""


@dataclass(frozen=True)
class Decision:
    """`host` is the name where there is one, else the address; `port` is 0 for `resolve`.

    `rule` is the text of the rule that allows it, `why` says why nothing does.
    """

    action: Action
    host: str
    address: str | None
    port: int
    rule: str | None = None
    why: str = ""

    @property
    def allowed(self) -> bool:
        return self.rule is not None

    def error(self) -> PermissionDeniedError:
        """The refusal as the host's error."""
        to = self.host if self.address in (None, self.host) else f"{self.host} ({self.address})"
        place = f"{to} port {self.port}" if self.port else to
        return PermissionDeniedError(
            f"the guest may not {self.action} {place}: {self.why}",
            hint="add a rule for it to the network's `listen`"
            if self.action in ("bind", "listen")
            else "add a rule for it to the network's `allow`",
            details={"action": self.action, "host": self.host, "address": self.address, "port": self.port},
        )
