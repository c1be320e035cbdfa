"""What is counted, as Prometheus reads it.

In: a running app. Out: families of metrics, made when they are asked for, so that a call costs nothing more. Counters
of a function start anew when its pool is exchanged, as Prometheus expects of one that restarts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from wippywasm.app.pools import PoolMetrics
from wippywasm.app.security import Guard
from wippywasm.errors import UnavailableError

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

    from wippywasm.app.processes.part import ProcessPart

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Observed(Protocol):
    """The part of an app that is counted."""

    def metrics(self) -> Mapping[str, PoolMetrics]: ...
    @property
    def requests(self) -> Mapping[tuple[str, str], int]: ...
    @property
    def guard(self) -> Guard: ...
    @property
    def processes(self) -> ProcessPart: ...


class Metrics:
    """The metrics of one app; raises UnavailableError where the client library is missing."""

    def __init__(self, app: Observed) -> None:
        try:
            from prometheus_client import CollectorRegistry
        except ImportError:
            raise missing("prometheus", "prometheus_client") from None
        self._app = app
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def text(self) -> bytes:
        """All of it, in Prometheus' text format."""
        from prometheus_client import generate_latest

        return generate_latest(self._registry)

    def collect(self) -> Iterable[Metric]:
        """What the client library asks for."""
        yield from _pools(self._app.metrics())
        yield from _processes(self._app.processes)
        yield _count("wippywasm_denials", "Actions that were denied.", ["action"], _keyed(self._app.guard.denials))
        requests = self._app.requests.items()
        yield _count("wippywasm_http_requests", "Requests that were served.", ["service", "status"], requests)


def missing(what: str, library: str) -> UnavailableError:
    """The error for a library that an app asks for and that is not there."""
    error = UnavailableError(
        f"'{what}' in .wippy.yaml needs {library}, which is not installed", hint="pip install 'wippywasm[observe]'"
    )
    error.retryable = False
    return error


def _keyed(counts: Mapping[str, int]) -> Iterable[tuple[tuple[str, ...], int]]:
    return (((key,), count) for key, count in counts.items())


def _count(name: str, said: str, labels: list[str], counts: Iterable[tuple[tuple[str, ...], int]]) -> Metric:
    from prometheus_client.core import CounterMetricFamily

    family = CounterMetricFamily(name, said, labels=labels)
    for key, count in counts:
        family.add_metric(list(key), count)
    return family


def _gauge(name: str, said: str, labels: list[str], values: Iterable[tuple[tuple[str, ...], float]]) -> Metric:
    from prometheus_client.core import GaugeMetricFamily

    family = GaugeMetricFamily(name, said, labels=labels)
    for key, value in values:
        family.add_metric(list(key), value)
    return family


def _pools(pools: Mapping[str, PoolMetrics]) -> Iterable[Metric]:
    from prometheus_client.core import SummaryMetricFamily

    for name, said in _COUNTED.items():
        counts = {id: getattr(pool, name) for id, pool in pools.items()}
        yield _count(f"wippywasm_{name}", said, ["entry"], _keyed(counts))
    seconds = SummaryMetricFamily("wippywasm_call_seconds", "From asking to the answer.", labels=["entry"])
    for id, pool in pools.items():
        seconds.add_metric([id], pool.finished, pool.latency_mean * pool.finished)
    yield seconds
    workers = [((id, state), getattr(pool, state)) for id, pool in pools.items() for state in ("live", "busy")]
    yield _gauge("wippywasm_workers", "Instances that are there, and those at work.", ["entry", "state"], workers)
    queued = [((id,), pool.queued) for id, pool in pools.items()]
    yield _gauge("wippywasm_queued_calls", "Calls that wait for an instance.", ["entry"], queued)


_COUNTED = {
    "calls": "Calls of a function.",
    "errors": "Calls that failed.",
    "waits": "Calls that found no instance free.",
}


def _processes(part: ProcessPart) -> Iterable[Metric]:
    running = [((host.id,), host.count) for host in part.processes.hosts]
    yield _gauge("wippywasm_processes", "Processes that run.", ["host"], running)
    services = part.services
    states = [((id, service.state.value), 1) for id, service in services.items()]
    yield _gauge("wippywasm_services", "What each service is doing.", ["entry", "state"], states)
    restarts = {id: service.all_restarts for id, service in services.items()}
    yield _count("wippywasm_restarts", "Times that a service was started again.", ["entry"], _keyed(restarts))
