"""HTTP under load: many requests over some connections to `wippywasm run`, on loopback.

In: an app with a service, a path and a body; how many requests and connections. Out: throughput, the spread of
latencies, and how many requests got another answer than the first, or none: that must be 0, and the exit code says
so.

    python -m tools.load            # the example app, POST /greet, 10,000 requests, 50 connections
    python -m tools.load --changes  # the same, while its entries are updated and a supervised worker is killed
    python -m tools.load --path /add --body '{"a":6,"b":7}' --requests 2000
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
BOUND = 300.0
"""Seconds after which whatever is left counts as lost."""

CHANGES = """
namespace: load
entries:
  - {name: processes, kind: process.host}
  - name: worker
    kind: process.lua
    method: main
    source: |
      return {main = function()
        process.registry.register("load.worker")
        error(process.inbox():receive():topic())
      end}
  - name: supervised
    kind: process.service
    process: worker
    host: processes
    lifecycle: {auto_start: true, restart: {initial_delay: 10ms, max_delay: 50ms}}
  - name: change
    kind: function.lua
    method: main
    modules: [registry]
    source: |
      local registry, count = require("registry"), 0
      return {main = function()
        count = count + 1
        local served, endpoint = registry.get("demo.wasm:http_greet"), registry.get("demo.wasm:http_greet_endpoint")
        served.data.pool = {type = "static", workers = 2 + count % 3}
        endpoint.data.func = count % 2 == 0 and "http_greet" or "greet_function"
        local changes = registry.snapshot():changes()
        changes:update(served)
        changes:update(endpoint)
        local version, err = changes:apply()
        if err then return nil, err end
        return {version = version:id(), killed = process.send("load.worker", "killed") == true}
      end}
  - {name: endpoint, kind: http.endpoint, meta: {router: "demo:api"}, method: POST, path: /load/change, func: change}
"""
"""Beside the example app: POST /load/change puts another pool and function behind /greet, and kills a worker."""


@dataclass
class Results:
    """Seconds for each answer, and how many answers were missing or other than expected."""

    expected: bytes
    latencies: list[float] = field(default_factory=list)
    lost: int = 0


async def request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes) -> bytes:
    """Send a request and give the body of its response, which must be 200 and have a length."""
    writer.write(data)
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    if not head.startswith(b"HTTP/1.1 200 ") or length is None:
        raise ValueError(head.decode("latin-1"))
    return await reader.readexactly(int(length[1]))


async def connection(host: str, port: int, data: bytes, count: int, results: Results) -> None:
    """Send requests one after another over one connection."""
    left = count
    try:
        reader, writer = await asyncio.open_connection(host, port)
        with closing(writer):
            while left:
                start = time.perf_counter()
                body = await request(reader, writer, data)
                results.latencies.append(time.perf_counter() - start)
                results.lost += body != results.expected
                left -= 1
    except (OSError, ValueError, asyncio.IncompleteReadError) as error:
        print(f"a connection failed before its last {left} requests: {error!r}", file=sys.stderr)
        results.lost += left


def post(host: str, path: str, body: bytes) -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def change_for_ever(host: str, port: int) -> None:
    """Change the app, 10 times a second at most, until cancelled; tells how often then. A refusal is an error."""
    changes = killed = 0
    reader, writer = await asyncio.open_connection(host, port)
    with closing(writer):
        try:
            while True:
                done = json.loads(await request(reader, writer, post(host, "/load/change", b"")))
                changes, killed = changes + 1, killed + done["killed"]
                await asyncio.sleep(0.1)
        finally:
            print(f"meanwhile: {changes} changes of the entries, a worker killed {killed} times")


async def measure(url: str, arguments: argparse.Namespace) -> bool:
    """Warm up, measure, print; whether nothing was lost."""
    path, body = arguments.path, arguments.body.encode()
    requests, connections = arguments.requests, arguments.connections
    where = urlsplit(url)
    host, port = where.hostname or "", where.port or 80
    data = post(host, path, body)
    reader, writer = await asyncio.open_connection(host, port)
    results = Results(await request(reader, writer, data))
    writer.close()
    counts = [requests // connections + (i < requests % connections) for i in range(connections)]
    start = time.perf_counter()
    work = asyncio.gather(*(connection(host, port, data, count, results) for count in counts))
    changing = asyncio.ensure_future(change_for_ever(host, port)) if arguments.changes else None
    await asyncio.wait_for(work, BOUND)
    report(results, requests, connections, time.perf_counter() - start)
    return await ended(changing) and results.lost == 0


async def ended(changing: asyncio.Task[None] | None) -> bool:
    """End the changes; whether none of them failed."""
    if changing is None:
        return True
    changing.cancel()
    (failure,) = await asyncio.gather(changing, return_exceptions=True)
    if not isinstance(failure, asyncio.CancelledError):
        print(f"a change failed: {failure!r}", file=sys.stderr)
    return isinstance(failure, asyncio.CancelledError)


def report(results: Results, requests: int, connections: int, seconds: float) -> None:
    ordered = sorted(results.latencies)
    spread = ", ".join(f"p{p} {ordered[len(ordered) * p // 100] * 1000:.1f} ms" for p in (50, 90, 99) if ordered)
    print(
        f"{requests:,} requests over {connections} connections in {seconds:.1f} s: {requests / seconds:,.0f} a second"
    )
    print(f"latency: {spread}; lost: {results.lost}")


async def serve_and_measure(arguments: argparse.Namespace) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        app = arguments.app
        if arguments.changes:
            app = shutil.copytree(app, Path(folder, "app"))
            (app / "src/load.yaml").write_text(CHANGES)
        return await measure_served(str(app), arguments)


async def measure_served(app: str, arguments: argparse.Namespace) -> bool:
    command = [sys.executable, "-m", "wippywasm", "run", "-o", f"{arguments.service}:addr=127.0.0.1:0", app]
    server = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    try:
        url = await asyncio.wait_for(listening(server), 60)
        reading = asyncio.ensure_future(read_on(server))
        result = await measure(url, arguments)
        reading.cancel()
        return result
    finally:
        if server.returncode is None:
            server.terminate()
        await server.wait()


async def listening(server: asyncio.subprocess.Process) -> str:
    """The URL that the server says it listens on."""
    assert server.stderr is not None
    async for line in server.stderr:
        found = re.search(r"listens on (\S+)", line.decode())
        if found:
            return found[1]
        print(line.decode(), end="", file=sys.stderr)
    raise SystemExit("the app does not listen")


async def read_on(server: asyncio.subprocess.Process) -> None:
    """Take what the server says from here on, so that it never waits for somebody to read."""
    assert server.stderr is not None
    async for _ in server.stderr:
        pass


def main(given: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--app", default=str(ROOT / "examples/greeter"))
    parser.add_argument("--service", default="demo:gateway", help="the id of the http.service")
    parser.add_argument("--path", default="/greet")
    parser.add_argument("--body", default="World")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--changes", action="store_true", help="update entries and kill a worker meanwhile")
    return 0 if asyncio.run(serve_and_measure(parser.parse_args(given))) else 1


if __name__ == "__main__":
    raise SystemExit(main())
