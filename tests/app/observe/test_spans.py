"""Spans of calls: one for each, below that of its caller, sent to a collector."""

from __future__ import annotations

import asyncio
import gzip
import re
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.app.conftest import LoadApp
from wippywasm.app import App
from wippywasm.app.observe import observers

pytest.importorskip("opentelemetry.sdk", reason="spans need the extra 'observe'")

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from wippywasm.app.observe.spans import Spans

APP = """\
- name: wasm
  kind: function.wat
  method: f
  source: (module (func (export "f") (param i32) (if (local.get 0) (then unreachable))))
- name: apart
  kind: function.wat
  method: f
  pool: {worker_class: wasm, workers: 1}
  source: (module (func (export "f")))
- name: lua
  kind: function.lua
  modules: [funcs]
  method: main
  source: |
    local funcs = require("funcs")
    return {main = function()
      funcs.async("t:apart"):await()
      funcs.call("t:wasm", 0)
      funcs.call("t:wasm", 1)
      return 1
    end}
"""
YAML = "otel: {enabled: true, endpoint: 'localhost:1', service_name: test, sample_rate: %s}\n"


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """What the app under test sends, instead of sending it."""
    sent = InMemorySpanExporter()
    monkeypatch.setattr(observers, "Spans", lambda settings: Spans(settings, sent))
    return sent


def spans_of(app: App, exporter: InMemorySpanExporter) -> Mapping[str, list[ReadableSpan]]:
    async def main() -> None:
        async with app:
            assert await app.call("t:lua") == 1

    asyncio.run(main())
    found: dict[str, list[ReadableSpan]] = {}
    for span in exporter.get_finished_spans():
        found.setdefault(span.name, []).append(span)
    return found


def test_calls_are_below_their_callers(load_app: LoadApp, exporter: InMemorySpanExporter) -> None:
    spans = spans_of(load_app(APP, _dot_wippy_dot_yaml=YAML % 1), exporter)
    (lua,) = spans["t:lua"]
    below: list[Any] = [*spans["t:wasm"], *spans["t:apart"]]
    assert lua.parent is None
    assert {span.parent.span_id for span in below} == {lua.context.span_id}
    assert {span.context.trace_id for span in below} == {lua.context.trace_id}
    assert lua.resource.attributes["service.name"] == "test"
    assert dict(lua.attributes or {}) == {"wippywasm.entry": "t:lua", "wippywasm.kind": "function.lua"}


def test_a_failure_is_noted(load_app: LoadApp, exporter: InMemorySpanExporter) -> None:
    spans = spans_of(load_app(APP, _dot_wippy_dot_yaml=YAML % 1), exporter)
    good, bad = spans["t:wasm"]
    assert (good.status.is_ok, bad.status.is_ok) == (True, False)
    assert "unreachable" in (bad.status.description or "")


def test_the_rate_is_kept_for_whole_traces(load_app: LoadApp, exporter: InMemorySpanExporter) -> None:
    assert spans_of(load_app(APP, _dot_wippy_dot_yaml=YAML % 0), exporter) == {}


def test_a_collector_gets_them(load_app: LoadApp) -> None:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    got: list[bytes] = []

    async def collect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *([0-9]+)", head)
        assert length is not None
        got.append(await reader.readexactly(int(length[1])))
        assert head.startswith(b"POST /v1/traces ")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(collect, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        yaml = f"otel: {{enabled: true, endpoint: 'http://127.0.0.1:{port}', service_name: test}}\n"
        async with load_app(APP, _dot_wippy_dot_yaml=yaml) as app:
            assert await app.call("t:lua") == 1
        server.close()
        await server.wait_closed()

    asyncio.run(main())
    body = gzip.decompress(got[0]) if got[0][:2] == b"\x1f\x8b" else got[0]
    request = ExportTraceServiceRequest.FromString(body)
    names = [span.name for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans]
    assert sorted(names) == ["t:apart", "t:lua", "t:wasm", "t:wasm"]


class Deaf(SpanExporter):
    """A collector that takes nothing; asked to end, it gives up."""

    def __init__(self) -> None:
        self.ended = threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.ended.wait(60)
        return SpanExportResult.FAILURE

    def shutdown(self) -> None:
        self.ended.set()


def test_the_end_does_not_wait_for_a_collector_that_takes_nothing(
    load_app: LoadApp, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    deaf = Deaf()
    monkeypatch.setattr(observers, "Spans", lambda settings: Spans(settings, deaf))
    monkeypatch.setattr("wippywasm.app.observe.spans.LAST", 0.2)
    app = load_app(APP, _dot_wippy_dot_yaml=YAML % 1)

    async def main() -> float:
        async with app:
            await app.call("t:lua")
            begin = time.monotonic()
        return time.monotonic() - begin

    assert asyncio.run(main()) < 20
    assert deaf.ended.is_set()
    assert "did not take the last spans within 0.2 s" in caplog.text


IMPORTS = """\
- name: f
  kind: function.wat
  method: now
  imports: [wasi:clocks]
  source: |
    (component
      (import "wasi:clocks/monotonic-clock@0.2.0" (instance $c (export "now" (func (result u64)))))
      (alias export $c "now" (func $f))
      (core func $now (canon lower (func $f)))
      (core module $m (import "" "now" (func $now (result i64))) (func (export "now") (result i64) (call $now)))
      (core instance $i (instantiate $m (with "" (instance (export "now" (func $now))))))
      (func (export "now") (result u64) (canon lift (core func $i "now"))))
- name: called
  kind: function.lua
  method: main
  source: return {main = function(text) return text .. "!" end}
- name: caller
  kind: function.wat
  method: go
  imports: [funcs]
  source: |
    (component
      (import "wippy:runtime/funcs@0.1.0" (instance $f
        (export "call-string" (func (param "target" string) (param "input" string)
          (result (result string (error string)))))))
      (alias export $f "call-string" (func $g))
      (export "go" (func $g)))
"""


def test_what_guests_import_is_below_their_call(load_app: LoadApp, exporter: InMemorySpanExporter) -> None:
    app = load_app(IMPORTS, _dot_wippy_dot_yaml=YAML % 1)

    async def main() -> None:
        async with app:
            assert await app.call("t:f") > 0
            assert await app.call("t:caller", "t:called", "hi") == "hi!"

    asyncio.run(main())
    spans: dict[str, Any] = {span.name: span for span in exporter.get_finished_spans()}
    assert spans["wasi:clocks/monotonic-clock#now"].parent.span_id == spans["t:f"].context.span_id
    assert spans["wippy:runtime/funcs#call-string"].parent.span_id == spans["t:caller"].context.span_id
    assert spans["t:called"].context.trace_id == spans["t:caller"].context.trace_id
