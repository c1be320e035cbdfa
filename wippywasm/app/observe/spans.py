"""Spans of calls, as OpenTelemetry has them.

In: what begins and ends. Out: spans, each below the one that it began in; they are sent from a thread, in batches. The
current span travels as the context of a call does: through Lua, wasm, threads, and by header from and to other
services.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from wippywasm.app.observe.metrics import missing
from wippywasm.app.observe.settings import OtelSettings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

log = logging.getLogger("wippywasm.spans")
LAST = 2.0
"""Seconds in which a collector must take what is left at the end."""


class Spans:
    """The spans of one app; raises UnavailableError where the libraries are missing."""

    def __init__(self, settings: OtelSettings, exporter: SpanExporter | None = None) -> None:
        try:
            self._exporter = exporter or _exporter(settings)
            self._provider = _provider(settings, self._exporter)
        except ImportError:
            raise missing("otel", "the OpenTelemetry SDK") from None
        self._tracer = self._provider.get_tracer("wippywasm")

    @contextmanager
    def call(self, id: str, kind: str, pid: str | None = None) -> Iterator[None]:
        """A call of a function; what it raises is noted."""
        facts = {"wippywasm.entry": id, "wippywasm.kind": kind, **({"process.pid": pid} if pid else {})}
        with self._tracer.start_as_current_span(id, attributes=facts):
            yield

    def begin(self, name: str) -> Callable[[BaseException | None], None]:
        """A span below the current one, which does not become the current one; gives what ends it, with its error."""
        from opentelemetry.trace import SpanKind, Status, StatusCode

        span = self._tracer.start_span(name, kind=SpanKind.INTERNAL)

        def end(error: BaseException | None) -> None:
            if error is not None:
                span.record_exception(error)
                span.set_status(Status(StatusCode.ERROR, str(error)))
            span.end()

        return end

    @contextmanager
    def served(self, name: str, headers: Mapping[str, str], facts: Mapping[str, Any]) -> Iterator[Any]:
        """A request from outside, below the span that its `traceparent` names."""
        from opentelemetry.propagate import extract
        from opentelemetry.trace import SpanKind

        above = extract(headers)
        with self._tracer.start_as_current_span(name, above, SpanKind.SERVER, dict(facts)) as span:
            yield span

    @contextmanager
    def sent(self, name: str, facts: Mapping[str, Any], headers: MutableMapping[str, str]) -> Iterator[Any]:
        """A request to outside; `headers` get the `traceparent`."""
        from opentelemetry.propagate import inject
        from opentelemetry.trace import SpanKind

        with self._tracer.start_as_current_span(name, kind=SpanKind.CLIENT, attributes=dict(facts)) as span:
            inject(headers)
            yield span

    def close(self) -> None:
        """Send what is left, for at most `LAST` seconds; waits for that, so it is not for the event loop."""
        sending = threading.Thread(target=self._provider.shutdown, name="wippywasm spans", daemon=True)
        sending.start()
        sending.join(LAST)
        if sending.is_alive():
            log.warning("the collector did not take the last spans within %g s; they are lost", LAST)
            self._exporter.shutdown()  # tries no more


def _provider(settings: OtelSettings, exporter: SpanExporter) -> TracerProvider:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

    facts = {"service.name": settings.service_name, "service.version": settings.service_version}
    provider = TracerProvider(
        resource=Resource.create({name: value for name, value in facts.items() if value is not None}),
        sampler=ParentBased(TraceIdRatioBased(settings.sample_rate)),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def _exporter(settings: OtelSettings) -> SpanExporter:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter(endpoint=settings.url)
