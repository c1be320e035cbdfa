"""What a guest may reach over a network: nothing, unless rules say so.

In: rules of a definition or of `Wasi(network=…)`, and what a guest attempts. Out: a decision, which can be audited.

    addresses     addresses that rules must name to open: private, loopback, link-local, …
    rules         `host:port`, `*.host:port`, `range:port`
    attempts      what a guest attempts, and the decision
    guard         `Network`: the rules, and what they decide
    lookup        names to addresses, in a thread
    threads       calls that would block, in threads
    budget        what guests may have at once
    signals       waking up whoever waits, on whatever loop
    steps         work that goes on when somebody looks at it

Spec: SPEC sections 7 and 10.
"""

from wippywasm.wasi.network.attempts import Decision
from wippywasm.wasi.network.budget import Quotas
from wippywasm.wasi.network.guard import Network

__all__ = ["Decision", "Network", "Quotas"]
