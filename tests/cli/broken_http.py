"""Broken apps with HTTP, and what must be said about each, as in `broken_apps`.

In: nothing. Out: `BROKEN_HTTP`, by what is wrong.
"""

from __future__ import annotations

from tests.cli.broken_apps import ADD, Broken, entries, wasm, yaml

SERVICE = "- {name: web, kind: http.service, addr: ':0'}"
ROUTER = "- {name: api, kind: http.router, prefix: /api}"
HANDLER = "- {name: f, kind: function.lua, method: m, source: return 1}"


def web(*lines: str) -> str:
    """An app with a service, a router and a function; the first of `lines` is line 6 of its file."""
    return entries(SERVICE, ROUTER, HANDLER, *lines)


def endpoint(name: str, path: str = "/x", more: str = "") -> str:
    return f"- {{name: {name}, kind: http.endpoint, method: GET, path: '{path}', func: f{more}}}"


def bad_path(path: str, *words: str) -> Broken:
    return yaml(web(endpoint("e", path)), "_index.yaml:6", "field 'path'", *words)


def bad_option(option: str, *words: str) -> Broken:
    router = f"- {{name: r, kind: http.router, middleware: [cors, ratelimit, real_ip], options: {{{option}}}}}"
    return yaml(entries(SERVICE, router), "_index.yaml:4", *words)


BROKEN_HTTP: dict[str, Broken] = {
    "no address": yaml(entries("- {name: web, kind: http.service, addr: 8080}"), "_index.yaml:3", "put it in quotes"),
    "a bad address": yaml(
        entries("- {name: web, kind: http.service, addr: 'localhost'}"), "_index.yaml:3", "'localhost' is no address"
    ),
    "a port too many": yaml(
        entries("- {name: web, kind: http.service, addr: ':65536'}"), "_index.yaml:3", "':65536' is no address"
    ),
    "two on one address": yaml(
        entries(
            "- {name: a, kind: http.service, addr: ':8080'}",
            "- {name: b, kind: http.service, addr: ':8080'}",
        ),
        "_index.yaml:4",
        "'t:a' listens on :8080 too",
    ),
    "a bad time": yaml(
        entries("- {name: web, kind: http.service, addr: ':0', timeouts: {read: 5}}"),
        "_index.yaml:3",
        "timeouts.read",
        "with a unit: 5s",
    ),
    "no service": yaml(entries(ROUTER), "_index.yaml:3", "meta.server", "there is no http.service entry"),
    "which service": yaml(
        entries(SERVICE, "- {name: web2, kind: http.service, addr: ':0'}", ROUTER),
        "_index.yaml:5",
        "required where there is not just one http.service",
        "name one of 't:web', 't:web2'",
    ),
    "another service": yaml(
        entries(SERVICE, "- {name: api, kind: http.router, meta: {server: wep}}"),
        "_index.yaml:4",
        "meta.server",
        "there is no entry 't:wep'",
        "did you mean 't:web'?",
    ),
    "a router that is none": yaml(
        web(endpoint("e", more=", meta: {router: web}")), "_index.yaml:6", "'t:web' is an http.service"
    ),
    "a method": yaml(
        web("- {name: e, kind: http.endpoint, method: get, path: /, func: f}"),
        "_index.yaml:6",
        "did you mean 'GET'?",
    ),
    "a handler that is none": yaml(
        web("- {name: e, kind: http.endpoint, method: GET, path: /, func: web}"), "_index.yaml:6", "is an http.service"
    ),
    "a path without a slash": bad_path("users", "so '/users'"),
    "a path with a query": bad_path("/users?x=1", "a path has no '?'"),
    "a path with dots": bad_path("/a/../b", "a path has no '..' as a segment"),
    "a parameter in a segment": bad_path("/v{n}", "a parameter is a whole one"),
    "a parameter without a name": bad_path("/{}", "a parameter is a whole one"),
    "a parameter twice": bad_path("/{id}/{id}", "'{id}' is there twice"),
    "a rest in the middle": bad_path("/{all...}/x", "must be the last segment"),
    "a prefix with a parameter": yaml(
        entries(SERVICE, "- {name: api, kind: http.router, prefix: '/{x}'}"),
        "_index.yaml:4",
        "a prefix has no parameters",
    ),
    "a route twice": yaml(
        web(endpoint("e", "/{id}"), endpoint("g", "/{name}/")),
        "_index.yaml:7",
        "'t:e' has GET /api/{id} of 't:web' already",
    ),
    "a mount twice": yaml(
        web(
            "- {name: files, kind: fs.directory, directory: .}",
            "- {name: s, kind: http.static, path: /, fs: files}",
            "- {name: s2, kind: http.static, path: /, fs: files}",
        ),
        "_index.yaml:8",
        "'t:s' is mounted on that path",
    ),
    "spa without index": yaml(
        web(
            "- {name: files, kind: fs.directory, directory: .}",
            "- {name: s, kind: http.static, path: /, fs: files, static_options: {spa: true}}",
        ),
        "_index.yaml:7",
        "static_options.index",
    ),
    "a misspelt middleware": yaml(
        entries(SERVICE, "- {name: r, kind: http.router, middleware: [corse]}"), "_index.yaml:4", "did you mean 'cors'?"
    ),
    "a middleware of later": yaml(
        entries(SERVICE, "- {name: r, kind: http.router, middleware: [otel]}"),
        "_index.yaml:4",
        "'otel' is known but not available yet",
    ),
    "a misspelt option": bad_option("cors.allow.origin: '*'", "did you mean 'cors.allow.origins'?"),
    "an option that is no number": bad_option("ratelimit.requests: many", "a whole number, 1 or more"),
    "an option that is no time": bad_option("ratelimit.window: 60", "a length of time"),
    "an option that is no key": bad_option("ratelimit.key: cookie", "ip, header:NAME or query:NAME"),
    "an option that is no range": bad_option("real_ip.trusted.subnets: 10.0.0.1/8", "ranges of addresses"),
    "an option that is missing": yaml(
        entries(SERVICE, "- {name: r, kind: http.router, post_middleware: [resource_firewall]}"),
        "_index.yaml:4",
        "needs the option 'resource_firewall.target'",
    ),
    "a module that serves nothing": wasm(
        ADD,
        "_index.yaml:11",
        "there is no exported function 'handle'",
        more="    transport: wasi-http",
        method="handle",
    ),
}
"""Apps that are wrong, each in its own way."""
