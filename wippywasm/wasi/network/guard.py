"""The rules of a network, and what they decide.

In: rules, and what guests attempt. Out: `Decision`s; every one goes to the audit.

An address is judged where it is used: a name that was looked up opens what it led to then, for the ports of its rules,
and nothing else. So a name server that changes its mind opens nothing.

Spec: SPEC sections 7 and 10.
"""

from __future__ import annotations

import ssl
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from typing import Final, TypeAlias

from wippywasm.wasi.given import FUNCTION, Kind, check, instance, is_list, or_none
from wippywasm.wasi.network.addresses import Address, plain, special
from wippywasm.wasi.network.attempts import Action, Decision
from wippywasm.wasi.network.budget import Budget, Quotas
from wippywasm.wasi.network.lookup import Resolver, system_resolver
from wippywasm.wasi.network.rules import Rule, parse_local_rule, parse_rule

Audit: TypeAlias = Callable[[Decision], None]
Policy: TypeAlias = Callable[[str, int], bool]
"""Asked with host (a name where there is one, else an address) and port about what the rules allow."""
POLICY_REFUSES = "the security policy refuses it"
_REMEMBERED = 1024
_NAMES_OF_ONE = 16
_RULES = Kind("a sequence of rules", is_list)
_KINDS: Final = {
    "allow": _RULES,
    "listen": _RULES,
    "audit": or_none(FUNCTION),
    "policy": or_none(FUNCTION),
    "resolver": FUNCTION,
    "tls": FUNCTION,
    "quotas": or_none(instance("a Quotas", Quotas)),
}
_ANY = tuple(ip_address(text) for text in ("0.0.0.0", "::"))


class Network:
    """What the guests of one `Wasi` may reach, or those of several; they may run in several threads.

    `allow` are rules for whom they may connect or send to, `listen` for what they may bind and listen on; a rule is as
    `rules` says, and `localhost` is the only name for `listen`. `audit` gets every decision, `policy` may refuse what
    the rules allow. `resolver` looks up names, `tls` makes the context for TLS; both are called in threads. Raises
    InvalidError for a text that is no rule, and for arguments of another kind.
    """

    def __init__(
        self,
        allow: Iterable[str] = (),
        *,
        listen: Iterable[str] = (),
        audit: Audit | None = None,
        policy: Policy | None = None,
        resolver: Resolver = system_resolver,
        tls: Callable[[], ssl.SSLContext] = ssl.create_default_context,
        quotas: Quotas | None = None,
    ) -> None:
        check(_KINDS, {"allow": allow, "listen": listen, "audit": audit, "policy": policy})
        check(_KINDS, {"resolver": resolver, "tls": tls, "quotas": quotas})
        self.allow = tuple(parse_rule(text) for text in allow)
        self.listen = tuple(parse_local_rule(text) for text in listen)
        self.quotas = quotas or Quotas()
        self.sockets = Budget(self.quotas.sockets)
        self.lookups = Budget(self.quotas.lookups)
        self.resolver = resolver
        self.tls = tls
        self._audit = audit
        self._policy = policy
        self._names: OrderedDict[Address, dict[str, None]] = OrderedDict()
        self._lock = threading.Lock()

    # ---- names

    def check_resolve(self, name: str) -> Decision:
        """Whether a normal name may be looked up: rules name it, for whatever port."""
        rule = next((r.text for r in self.allow if r.matches_name(name)), None)
        return self._decided("resolve", name, None, 0, rule, "no rule names it")

    def resolved(self, name: str, addresses: Iterable[Address]) -> list[Address]:
        """Remember what an allowed name led to; gives those addresses that some rule opens."""
        found = [a for a in addresses if self._opened_at_all(name, a)]
        with self._lock:
            for address in found:
                self._remember(address, name)
            while len(self._names) > _REMEMBERED:
                self._names.popitem(last=False)
        return found

    def _remember(self, address: Address, name: str) -> None:
        address = plain(address)
        names = self._names.setdefault(address, {})
        names.pop(name, None)
        names[name] = None
        if len(names) > _NAMES_OF_ONE:
            del names[next(iter(names))]
        self._names.move_to_end(address)

    def _opened_at_all(self, name: str, address: Address) -> bool:
        for rule in self.allow:
            port = rule.ports[0]
            if rule.opens(address, port) or rule.opens_name(name, address, port):
                return True
        return False

    # ---- addresses

    def check_connect(
        self, address: Address, port: int, name: str | None = None, *, action: Action = "connect"
    ) -> Decision:
        """Whether an address may be connected or sent to; `name` is the one that led to it, where only one counts."""
        rule, by = self._opening(address, port, name)
        host = by or name or str(plain(address))
        if rule is not None and self._policy is not None and not self._policy(host, port):
            return self._decided(action, host, address, port, None, POLICY_REFUSES)
        return self._decided(action, host, address, port, rule, _why(address))

    def _opening(self, address: Address, port: int, name: str | None) -> tuple[str | None, str | None]:
        """The rule that opens an address, and the name that it goes by."""
        address = plain(address)
        with self._lock:
            names = tuple(self._names.get(address, ())) if name is None else (name,)
        for rule in self.allow:
            for known in names:
                if rule.opens_name(known, address, port):
                    return rule.text, known
            if rule.opens(address, port):
                return rule.text, name
        return None, None

    def hears(self, address: Address, port: int) -> bool:
        """Whether datagrams that come from there reach a guest that does not listen; not audited."""
        return self._opening(address, port, None)[0] is not None

    # ---- local addresses

    def check_bind(self, address: Address, port: int) -> Decision:
        """Whether a socket may be bound: to anything that it may listen on, and to any free port for its own use."""
        if address in _ANY and port == 0:
            return self._decided("bind", str(address), address, port, "a port of its own", "")
        return self._local("bind", address, port)

    def check_listen(self, address: Address, port: int) -> Decision:
        """Whether a socket may listen; `port` is the one that was asked for, which may be 0."""
        return self._local("listen", address, port)

    def listens(self, address: Address, port: int) -> bool:
        """The same, not audited."""
        return self._listening(address, port) is not None

    def _listening(self, address: Address, port: int) -> Rule | None:
        rules = (r for r in self.listen if r.opens(address, port) or r.opens_name("localhost", address, port))
        return next(rules, None)

    def _local(self, action: Action, address: Address, port: int) -> Decision:
        rule = self._listening(address, port)
        text = None if rule is None else rule.text
        return self._decided(action, str(address), address, port, text, "no `listen` rule names it")

    def _decided(
        self, action: Action, host: str, address: Address | None, port: int, rule: str | None, why: str
    ) -> Decision:
        text = None if address is None else str(plain(address))
        decision = Decision(action, host, text, port, rule, "" if rule is not None else why)
        if self._audit is not None:
            self._audit(decision)
        return decision


def _why(address: Address) -> str:
    kind = special(address)
    return "no rule opens it" if kind is None else f"no rule names it, and it is {kind[1]}"
