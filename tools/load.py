"""HTTP under load: many requests over some connections to `wippywasm run`, on loopback.

In: an app with a service, a path and a body; how many requests and connections. Out: throughput, the spread of
latencies, and how many requests got another answer than the first, or none: that must be 0, and the exit code says
so.

    python -m tools.load            # the example app, POST /greet, 10,000 requests, 50 connections
    python -m tools.load --path /add --body '{"a":6,"b":7}' --requests 2000
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
BOUND = 300.0
"""Seconds after which whatever is left counts as lost."""


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


async def measure(url: str, path: str, body: bytes, requests: int, connections: int) -> bool:
    """Warm up, measure, print; whether nothing was lost."""
    where = urlsplit(url)
    host, port = where.hostname or "", where.port or 80
    data = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    reader, writer = await asyncio.open_connection(host, port)
    results = Results(await request(reader, writer, data))
    writer.close()
    counts = [requests // connections + (i < requests % connections) for i in range(connections)]
    start = time.perf_counter()
    work = asyncio.gather(*(connection(host, port, data, count, results) for count in counts))
    await asyncio.wait_for(work, BOUND)
    report(results, requests, connections, time.perf_counter() - start)
    return results.lost == 0


def report(results: Results, requests: int, connections: int, seconds: float) -> None:
    ordered = sorted(results.latencies)
    spread = ", ".join(f"p{p} {ordered[len(ordered) * p // 100] * 1000:.1f} ms" for p in (50, 90, 99) if ordered)
    print(
        f"{requests:,} requests over {connections} connections in {seconds:.1f} s: {requests / seconds:,.0f} a second"
    )
    print(f"latency: {spread}; lost: {results.lost}")


async def serve_and_measure(arguments: argparse.Namespace) -> bool:
    command = [sys.executable, "-m", "wippywasm", "run", "-o", f"{arguments.service}:addr=127.0.0.1:0", arguments.app]
    server = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    try:
        url = await asyncio.wait_for(listening(server), 60)
        work = measure(url, arguments.path, arguments.body.encode(), arguments.requests, arguments.connections)
        return await work
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


def main(given: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--app", default=str(ROOT / "examples/greeter"))
    parser.add_argument("--service", default="demo:gateway", help="the id of the http.service")
    parser.add_argument("--path", default="/greet")
    parser.add_argument("--body", default="World")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--connections", type=int, default=50)
    return 0 if asyncio.run(serve_and_measure(parser.parse_args(given))) else 1


if __name__ == "__main__":
    raise SystemExit(main())
