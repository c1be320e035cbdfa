"""From the entries of an app to what its services serve.

In: checked entries. Out: for each `http.service` its routes, the routers and folders that are mounted on it, its
times and limits; problems for what does not go together. Pure: nothing is opened. Spec: SPEC section 12.

A request goes to the endpoint whose route matches it, whichever router that is of; a request without one goes to the
router or folder with the longest prefix, a folder before a router of the same.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any

from wippywasm.app.entry import Entry
from wippywasm.app.http.address import Address, parse_address
from wippywasm.app.http.options import POST, PRE, Stage, missing, stages
from wippywasm.app.http.paths import Pattern, Target, parse_pattern, split_literal
from wippywasm.app.http.routes import Routes
from wippywasm.app.http.tls import TlsError, server_context
from wippywasm.app.report import At, Report
from wippywasm.app.suggest import listing
from wippywasm.dataclass import dataclass


@dataclass(frozen=True)
class Times:
    """In seconds, 0 for no bound. `read`: until a request is there with its body. `write`: from then until the response
    is. `idle`: until a request's head is there, on a new connection as on one that is kept."""

    read: float = 30.0
    write: float = 0.0
    idle: float = 60.0


@dataclass(frozen=True)
class Bounds:
    """`body` and `head` in bytes, `requests` served at once, `connections` open at once."""

    body: int = 32 << 20
    head: int = 64 << 10
    requests: int = 1024
    connections: int = 8192


@dataclass(frozen=True)
class Router:
    """A router: what runs for every request to it, and `after` an endpoint is found."""

    id: str
    prefix: tuple[str, ...]
    stages: tuple[Stage, ...]
    after: tuple[Stage, ...] = ()


@dataclass(frozen=True)
class Folder:
    """The files of the filesystem entry `fs`."""

    id: str
    prefix: tuple[str, ...]
    stages: tuple[Stage, ...]
    fs: str
    index: str = "index.html"
    spa: bool = False
    cache: str | None = None


@dataclass(frozen=True)
class Endpoint:
    """A route's end: the function `func`."""

    id: str
    router: Router
    pattern: Pattern
    func: str


@dataclass(frozen=True)
class ServicePlan:
    """What one service serves. `mounts` have the longest prefix first. `tls` is None where there is none."""

    entry: Entry
    address: Address
    times: Times
    bounds: Bounds
    routes: Routes[Endpoint] = field(default_factory=Routes)
    mounts: tuple[Router | Folder, ...] = ()
    tls: ssl.SSLContext | None = None

    @property
    def id(self) -> str:
        return self.entry.id

    def mount_of(self, target: Target) -> Router | Folder | None:
        """Whose a request is that no endpoint serves."""
        return next((m for m in self.mounts if target.segments[: len(m.prefix)] == m.prefix), None)


def plan_services(entries: Mapping[str, Entry], report: Report) -> Mapping[str, ServicePlan]:
    """What every service serves; problems of several entries together go to the report."""
    kinds = {id: entry.kind for id, entry in entries.items()}
    return _Planner({id: entry for id, entry in entries.items() if entry.valid}, kinds, report).plan()


class _Planner:
    """`kinds` has those of entries with problems of their own, too."""

    def __init__(self, entries: Mapping[str, Entry], kinds: Mapping[str, str], report: Report) -> None:
        self._entries = entries
        self._kinds = kinds
        self._report = report
        self._mounts: dict[str, list[Router | Folder]] = {}
        self._routes: dict[str, Routes[Endpoint]] = {}

    def plan(self) -> Mapping[str, ServicePlan]:
        services = self._of("http.service")
        self._check_addresses(services)
        routers = {entry.id: self._router(entry) for entry in self._of("http.router")}
        homes = {id: self._mount(routers[id]) for id in routers}
        for entry in self._of("http.static"):
            self._mount(self._folder(entry))
        for entry in self._of("http.endpoint"):
            self._endpoint(entry, routers, homes)
        return {service.id: self._service(service) for service in services}

    def _of(self, kind: str) -> list[Entry]:
        return [entry for entry in self._entries.values() if entry.kind == kind]

    def _service(self, entry: Entry) -> ServicePlan:
        address = parse_address(entry.data["addr"])
        assert address is not None, "addr was checked"
        mounts = sorted(self._mounts.get(entry.id, []), key=lambda m: (-len(m.prefix), isinstance(m, Router), m.id))
        routes = self._routes.get(entry.id) or Routes()
        tls = self._tls(entry)
        return ServicePlan(entry, address, _times(entry), _bounds(entry), routes, tuple(mounts), tls)

    def _tls(self, entry: Entry) -> ssl.SSLContext | None:
        try:
            return server_context(entry.data.get("tls"))
        except TlsError as error:
            entry.at(self._report, "tls").child(error.field).problem(str(error))
            return None

    def _check_addresses(self, services: Sequence[Entry]) -> None:
        taken: dict[Address | None, Entry] = {}
        for entry in services:
            address = parse_address(entry.data["addr"])
            first = taken.setdefault(address, entry)
            if first is not entry and address is not None and address.port:
                entry.at(self._report, "addr").problem(
                    f"'{first.id}' listens on {address} too", "give each its own port"
                )

    def _router(self, entry: Entry) -> Router:
        before = self._stages(entry, "middleware", "options", PRE)
        after = self._stages(entry, "post_middleware", "post_options", POST)
        return Router(entry.id, split_literal(entry.data.get("prefix", "/")), before, after)

    def _folder(self, entry: Entry) -> Folder:
        before = self._stages(entry, "middleware", "options", PRE)
        settings: Mapping[str, Any] = entry.data.get("static_options") or {}
        return Folder(entry.id, split_literal(entry.data["path"]), before, entry.data["fs"], **settings)

    def _stages(self, entry: Entry, names: str, options: str, table: Mapping[str, Any]) -> tuple[Stage, ...]:
        listed: Sequence[str] = entry.data.get(names) or ()
        given: Mapping[str, Any] = entry.data.get(options) or {}
        chain = stages(listed, given, table)
        for stage in chain:
            lacking = missing(stage)
            if lacking is not None:
                entry.at(self._report, names).problem(f"'{stage.name}' needs the option '{lacking}'", f"in '{options}'")
            self._check_tokens(stage, entry.at(self._report, options))
        for idle in sorted({name.partition(".")[0] for name in given} - set(listed)):
            entry.at(self._report, options).warning(f"'{idle}' is not in '{names}', so its options have no effect")
        return chain

    def _check_tokens(self, stage: Stage, at: At) -> None:
        store = stage.options.get("store") if stage.name == "token_auth" else None
        if store is not None and self._kinds.get(store) != "security.token_store":
            at.problem(f"'token_auth.store' names '{store}', which is no security.token_store", "name one that is")

    def _mount(self, mount: Router | Folder) -> str | None:
        """Mount it on its service, and give the id of that."""
        service = self._parent(self._entries[mount.id], "server", "http.service")
        if service is None:
            return None
        there = self._mounts.setdefault(service, [])
        for other in there:
            if isinstance(mount, Folder) and isinstance(other, Folder) and other.prefix == mount.prefix:
                at = self._entries[mount.id].at(self._report, "path")
                at.problem(f"'{other.id}' is mounted on that path of '{service}' already", "choose another path")
        there.append(mount)
        return service

    def _endpoint(self, entry: Entry, routers: Mapping[str, Router], homes: Mapping[str, str | None]) -> None:
        parent = self._parent(entry, "router", "http.router")
        service = homes.get(parent) if parent is not None else None
        if parent is None or service is None:
            return
        router = routers[parent]
        pattern = parse_pattern("/".join(["", *router.prefix]) + entry.data["path"])
        routes = self._routes.setdefault(service, Routes())
        first = routes.add(entry.data["method"], pattern, Endpoint(entry.id, router, pattern, entry.data["func"]))
        if first is not None:
            message = f"'{first.id}' has {entry.data['method']} {first.pattern.text} of '{service}' already"
            entry.at(self._report, "path").problem(message, "the names of parameters tell no routes apart")

    def _parent(self, entry: Entry, name: str, kind: str) -> str | None:
        """The entry that `meta` names, or the only one there is; None where that is a problem already."""
        named: str | None = entry.meta.get(name)
        if named is not None:
            return named if named in self._entries else None
        there = [e.id for e in self._of(kind)]
        if len(there) == 1:
            return there[0]
        hint = f"name one of {listing(there)}" if there else f"there is no {kind} entry"
        entry.at(self._report, "meta").child(name).problem(f"required where there is not just one {kind}", hint)
        return None


def _times(entry: Entry) -> Times:
    return Times(**(entry.data.get("timeouts") or {}))


def _bounds(entry: Entry) -> Bounds:
    return Bounds(**dict(_bound(name, value) for name, value in (entry.data.get("limits") or {}).items()))


def _bound(name: str, value: int) -> tuple[str, int]:
    sizes = {"max_body_mb": ("body", 20), "max_header_kb": ("head", 10)}
    if name in sizes:
        return sizes[name][0], value << sizes[name][1]
    return name.removeprefix("max_"), value
