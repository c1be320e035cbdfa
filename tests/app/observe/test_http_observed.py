"""Requests of HTTP services: counted, and each a span below the one that its `traceparent` names."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from tests.app.conftest import LoadApp
from wippywasm.app.observe import observers

pytest.importorskip("opentelemetry.sdk", reason="spans need the extra 'observe'")

from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from wippywasm.app.observe.spans import Spans

APP = """\
- {name: web, kind: http.service, addr: "127.0.0.1:0", lifecycle: {auto_start: true}}
- {name: api, kind: http.router, meta: {server: web}, prefix: /}
- {name: hello, kind: http.endpoint, meta: {router: api}, method: GET, path: /hello, func: f}
- name: f
  kind: function.lua
  modules: [http]
  method: main
  source: return {main = function() require("http").response():write("hi") end}
"""
TRACE = "0af7651916cd43dd8448eb211c80319c"


def test_requests(load_app: LoadApp, monkeypatch: pytest.MonkeyPatch) -> None:
    exporter = InMemorySpanExporter()
    monkeypatch.setattr(observers, "Spans", lambda settings: Spans(settings, exporter))
    app = load_app(APP, _dot_wippy_dot_yaml="otel: {enabled: true}\n")

    async def main() -> None:
        async with app, aiohttp.ClientSession() as client:
            url = app.addresses["t:web"]
            headers = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
            async with client.get(f"{url}/hello", headers=headers) as answer:
                assert await answer.text() == "hi"
            async with client.get(f"{url}/none") as answer:
                assert answer.status == 404
            assert dict(app.requests) == {("t:web", "200"): 1, ("t:web", "404"): 1}

    asyncio.run(main())
    spans: list[Any] = [span for span in exporter.get_finished_spans() if span.context.trace_id == int(TRACE, 16)]
    by_name = {span.name: span for span in spans}
    assert set(by_name) == {"GET t:web", "t:f"}
    assert by_name["t:f"].parent.span_id == by_name["GET t:web"].context.span_id
    assert by_name["GET t:web"].attributes["http.response.status_code"] == 200
