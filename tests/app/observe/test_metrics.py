"""Metrics of a running app, read as Prometheus does."""

from __future__ import annotations

import asyncio
import urllib.request
from typing import Any

import pytest

from tests.app.conftest import LoadApp
from wippywasm.app import App
from wippywasm.errors import DefinitionError, PermissionDeniedError, UnavailableError

pytest.importorskip("prometheus_client", reason="metrics need the extra 'observe'")

APP = """\
- name: f
  kind: function.lua
  method: main
  pool: {type: lazy, max_size: 1}
  source: return {main = function(x) if x then error("no") end return 1 end}
- {name: deny, kind: security.policy, policy: {actions: funcs.call, resources: "*", effect: deny}, groups: [none]}
- name: caller
  kind: function.lua
  modules: [funcs]
  method: main
  security: {actor: {id: me}, groups: [none]}
  source: return {main = function() local funcs = require("funcs") return funcs.call("t:f") end}
"""
YAML = "prometheus: {enabled: true, address: '127.0.0.1:0'}\n"


def read(url: str) -> dict[str, float]:
    with urllib.request.urlopen(url) as answer:
        lines = answer.read().decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}


def with_metrics(load_app: LoadApp, settings: str = YAML) -> App:
    return load_app(APP, _dot_wippy_dot_yaml=settings)


def test_what_is_counted(load_app: LoadApp) -> None:
    app = with_metrics(load_app)

    async def main() -> dict[str, float]:
        async with app:
            for _ in range(3):
                assert await app.call("t:f") == 1
            with pytest.raises(Exception, match="no"):
                await app.call("t:f", True)
            with pytest.raises(PermissionDeniedError):
                await app.call("t:caller")
            assert app.observers.metrics_url is not None
            return await asyncio.to_thread(read, app.observers.metrics_url)

    counted = asyncio.run(main())
    assert counted['wippywasm_calls_total{entry="t:f"}'] == 4
    assert counted['wippywasm_errors_total{entry="t:f"}'] == 1
    assert counted['wippywasm_call_seconds_count{entry="t:f"}'] == 4
    assert counted['wippywasm_call_seconds_sum{entry="t:f"}'] > 0
    assert counted['wippywasm_workers{entry="t:f",state="live"}'] == 1
    assert counted['wippywasm_queued_calls{entry="t:f"}'] == 0
    assert counted['wippywasm_denials_total{action="funcs.call"}'] == 1


def test_nothing_listens_unless_it_is_asked_for(load_app: LoadApp) -> None:
    async def main(app: App) -> None:
        async with app:
            assert app.observers.metrics_url is None
            assert app.observers.spans is None

    asyncio.run(main(load_app(APP)))
    asyncio.run(main(with_metrics(load_app, "prometheus: {enabled: false}\n")))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("prometheus: {enabled: maybe}\n", "expected true or false"),
        ("prometheus: {address: nowhere}\n", "'nowhere' is no address"),
        ("otel: {enabled: true, sample_rate: 2}\n", "sample_rate"),
        ("logger: {encoding: xml}\n", "expected one of"),
    ],
)
def test_settings_with_problems(load_app: LoadApp, settings: str, said: str) -> None:
    with pytest.raises(DefinitionError, match=said):
        with_metrics(load_app, settings)


def test_an_address_in_use_is_one_error_and_nothing_is_left(load_app: LoadApp) -> None:
    async def main() -> Any:
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        app = with_metrics(load_app, f"prometheus: {{enabled: true, address: '127.0.0.1:{port}'}}\n")
        with pytest.raises(UnavailableError, match=r"prometheus can't listen on .*: the address is in use"):
            await app.start()
        with pytest.raises(UnavailableError, match="not running"):
            await app.call("t:f")
        server.close()

    asyncio.run(main())
