"""Middleware of routers: CORS, rates, compression, proxies, firewalls. Spec: SPEC sections 10 and 12."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.app.conftest import LoadApp
from tests.http.apps import SERVICE, endpoint, lua
from tests.http.client import Answer, Client, ask, served
from wippywasm.app import App
from wippywasm.app.http.middleware.cors import _matches
from wippywasm.app.http.middleware.ratelimit import Buckets


def routed(
    load_app: LoadApp, router: str, *, source: str = "return 'ok'", service: str = SERVICE, more: str = ""
) -> App:
    api = f"- {{name: api, kind: http.router, prefix: /api, {router}}}\n"
    return load_app(service + api + lua("f", source) + endpoint("e", "GET", "/x", "f") + more)


CORS = "middleware: [cors], options: {cors.allow.origins: 'https://a.com, *.b.com', cors.allow.credentials: true}"


def test_cors_tells_which_origins_may_read(load_app: LoadApp) -> None:
    app = routed(load_app, CORS)

    async def work(client: Client) -> list[Answer]:
        origins = ["https://a.com", "https://x.b.com", "https://b.com", "https://a.com.evil.com"]
        answers = [await client.ask("GET", "/api/x", Origin=origin) for origin in origins]
        return [
            *answers,
            await client.ask("GET", "/api/none", Origin="https://a.com"),
            await client.ask("GET", "/api/x"),
        ]

    one, below, apex, evil, missing, same = served(app, work)
    assert (one.fields["access-control-allow-origin"], one.fields["vary"]) == ("https://a.com", "Origin")
    assert one.fields["access-control-allow-credentials"] == "true"
    assert below.fields["access-control-allow-origin"] == "https://x.b.com"
    assert missing.status == 404
    assert missing.fields["access-control-allow-origin"] == "https://a.com"
    for answer in (apex, evil, same):
        assert "access-control-allow-origin" not in answer.fields


def test_preflight_requests_are_answered_by_the_router(load_app: LoadApp) -> None:
    app = routed(load_app, CORS)

    async def work(client: Client) -> list[Answer]:
        asked = {"Access_Control_Request_Method": "GET"}
        return [await client.ask("OPTIONS", "/api/x", Origin=o, **asked) for o in ("https://a.com", "https://c.com")]

    allowed, refused = served(app, work)
    assert (allowed.status, refused.status) == (204, 204)
    assert allowed.fields["access-control-allow-methods"] == "GET, POST, PUT, DELETE, OPTIONS, PATCH"
    assert allowed.fields["access-control-max-age"] == "86400"
    assert not [name for name in refused.fields if name.startswith("access-control")]


def test_any_origin_is_a_star(load_app: LoadApp) -> None:
    answer = ask(routed(load_app, "middleware: [cors]"), "GET", "/api/x", Origin="https://x.y")
    assert answer.fields["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    ("pattern", "origin", "expected"),
    [
        ("*.b.com", "http://a.b.com:8080", True),
        ("*.b.com", "http://evilb.com", False),
        ("https://*.b.com", "http://a.b.com", False),
        ("https://*.b.com", "https://a.b.com", True),
        ("*.b.com", "http://b.com.evil.com", False),
        ("null", "null", True),
    ],
)
def test_origins_below_a_name(pattern: str, origin: str, expected: bool) -> None:
    assert _matches(pattern, origin) is expected


def test_a_rate_is_held_for_each_key(load_app: LoadApp) -> None:
    options = "{ratelimit.requests: 1, ratelimit.window: 1h, ratelimit.burst: 2, ratelimit.key: 'header:X-Key'}"
    app = routed(load_app, f"middleware: [ratelimit], options: {options}")

    async def work(client: Client) -> list[Answer]:
        return [await client.ask("GET", "/api/x", X_Key=key) for key in "aaab"]

    answers = served(app, work)
    assert [a.status for a in answers] == [200, 200, 429, 200]
    assert answers[2].problem["kind"] == "RATE_LIMITED"
    assert (answers[2].fields["x-ratelimit-limit"], answers[2].fields["x-ratelimit-window"]) == ("1", "3600s")
    assert 0 < int(answers[2].fields["retry-after"]) <= 3600


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 5)), max_size=60), st.integers(1, 4), st.integers(1, 3))
def test_buckets_give_no_more_than_burst_and_rate(steps: list[tuple[str, float]], burst: int, most: int) -> None:
    buckets, now, taken = Buckets(0.5, burst, 1e9, 3), 0.0, dict.fromkeys("abc", 0)
    for key, pause in steps:
        now += pause
        wait = buckets.take(key, now)
        taken[key] += wait == 0
        assert 0 <= wait <= 2
        assert taken[key] <= burst + now * 0.5 + 1e-6
    few = Buckets(0.5, burst, 1e9, most)
    for key, _ in steps:
        few.take(key, 0)
        assert len(few) <= most


def test_compression_where_it_gains(load_app: LoadApp) -> None:
    source = """
        local http = require("http")
        local res, kind = http.response(), http.request():query("kind")
        if kind == "image" then res:set_content_type("image/png") else res:set_content_type("text/plain") end
        if kind == "stream" then
          res:write("first"); res:flush()
        end
        res:write(string.rep("x", kind == "small" and 10 or 5000))
    """
    app = routed(load_app, "middleware: [compress]", source=source)

    async def work(client: Client) -> dict[str, Answer]:
        kinds = ("text", "small", "image", "stream")
        answers = {k: await client.ask("GET", f"/api/x?kind={k}", Accept_Encoding="br, gzip") for k in kinds}
        return {**answers, "plain": await client.ask("GET", "/api/x", Accept_Encoding="gzip;q=0")}

    answers = served(app, work)
    assert gzip.decompress(answers["text"].body) == b"x" * 5000
    assert gzip.decompress(answers["stream"].body) == b"first" + b"x" * 5000
    assert {k for k, a in answers.items() if a.fields.get("content-encoding") == "gzip"} == {"text", "stream"}
    assert (answers["plain"].body, answers["plain"].fields["vary"]) == (b"x" * 5000, "Accept-Encoding")
    assert "vary" not in answers["image"].fields


REMOTE = "return require('http').request():remote_addr():match('^(.*):%d+$')"


@pytest.mark.parametrize(
    ("options", "fields", "expected"),
    [
        ("{}", {"X_Forwarded_For": "6.6.6.6, 1.2.3.4, 10.0.0.1"}, "1.2.3.4"),
        ("{}", {"X_Forwarded_For": "10.0.0.1"}, "10.0.0.1"),
        ("{}", {"X_Real_IP": "1.2.3.4", "X_Forwarded_For": "5.6.7.8"}, "1.2.3.4"),
        ("{}", {"True_Client_IP": "2001:db8::1", "X_Real_IP": "1.2.3.4"}, "[2001:db8::1]"),
        ("{}", {"X_Real_IP": "nonsense"}, "127.0.0.1"),
        ("{}", {}, "127.0.0.1"),
        ("{real_ip.trusted.subnets: 192.0.2.0/24}", {"X_Real_IP": "1.2.3.4"}, "127.0.0.1"),
        ("{real_ip.trust_all: true}", {"X_Forwarded_For": "6.6.6.6, 1.2.3.4"}, "6.6.6.6"),
    ],
)
def test_the_address_that_a_trusted_proxy_tells(
    options: str, fields: dict[str, str], expected: str, load_app: LoadApp
) -> None:
    app = routed(load_app, f"middleware: [real_ip], options: {options}", source=REMOTE)
    assert ask(app, "GET", "/api/x", **fields).text == expected


FIREWALL = "post_middleware: [endpoint_firewall], post_options: {endpoint_firewall.action: enter}"
POLICY = """
- name: may
  kind: security.policy
  policy: {actions: [enter, funcs.call], resources: ['t:e', 't:f'], effect: allow}
- {name: e2, kind: http.endpoint, method: GET, path: /y, func: f}
"""


def test_a_firewall_asks_who_and_whether_they_may(load_app: LoadApp) -> None:
    assert ask(routed(load_app, FIREWALL), "GET", "/api/x").problem["status"] == 401
    service = """
- name: web
  kind: http.service
  addr: '127.0.0.1:0'
  lifecycle: {security: {actor: {id: gate}, policies: [may]}}
"""
    app = routed(load_app, FIREWALL, service=service, more=POLICY)

    async def work(client: Client) -> list[Answer]:
        return [await client.ask("GET", path) for path in ("/api/x", "/api/y", "/api/z")]

    allowed, denied, missing = served(app, work)
    assert (allowed.status, allowed.text, denied.problem["status"], missing.status) == (200, "ok", 403, 404)
