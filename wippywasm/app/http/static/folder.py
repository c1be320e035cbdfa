"""A folder over HTTP: which file a path means, and its bytes.

In: exchanges. Out: files, with conditions and ranges; a redirect for a folder without its slash; the index where
there is one. Files are found as guests of WASI find them, one name at a time in folders that are held open, so no
`..`, link or rename leads out. Spec: SPEC section 12.
"""

from __future__ import annotations

import asyncio
import mimetypes
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from wippywasm.app.http.exchange import Exchange
from wippywasm.app.http.plan import Folder
from wippywasm.app.http.problems import Problem
from wippywasm.app.http.reply import Reply
from wippywasm.app.http.static.conditions import Facts, precondition, wanted_range
from wippywasm.wasi.filesystem.codes import FilesystemError
from wippywasm.wasi.filesystem.directory import OpenDirectory
from wippywasm.wasi.filesystem.facts import Opening
from wippywasm.wasi.filesystem.file import OpenFile
from wippywasm.wasi.filesystem.mounts import HostDirectory, Mounts

_PIECE = 256 << 10
_ABSENT = ("no-entry", "not-directory", "loop", "name-too-long", "illegal-byte-sequence", "invalid", "not-permitted")
_READ = Opening()
_ALLOW = "GET, HEAD, OPTIONS"


class FileFolder:
    """Holds the folder open until it is closed."""

    def __init__(self, plan: Folder, path: Path) -> None:
        self._plan = plan
        self._mounts = Mounts({"/": HostDirectory(path, read_only=True)})
        ((self._root, _),) = self._mounts.preopens()

    def close(self) -> None:
        self._root.close()
        self._mounts.close()

    async def __call__(self, exchange: Exchange) -> None:
        reply, method = exchange.reply, exchange.request.method
        if method == "OPTIONS":
            reply.set_status(204)
            reply.set("Allow", _ALLOW)
            await reply.end()
        elif method not in ("GET", "HEAD"):
            await reply.fail(Problem(405, fields={"Allow": _ALLOW}))
        else:
            await self._get(exchange)

    async def _get(self, exchange: Exchange) -> None:
        target = exchange.target
        names = target.segments[len(self._plan.prefix) :]
        found = self._open(names)
        if isinstance(found, OpenDirectory):
            found.close()
            if not target.slash and names:
                return await _redirect(exchange)
            found, names = self._open([*names, self._plan.index]), (*names, self._plan.index)
        elif found is not None and target.slash:
            found.close()
            found = None
        if not isinstance(found, OpenFile) and self._plan.spa:
            found, names = self._open([self._plan.index]), (self._plan.index,)
        if not isinstance(found, OpenFile):
            await exchange.reply.fail(Problem(404))
            return None
        try:
            return await self._send(exchange, found, names[-1])
        finally:
            found.close()

    def _open(self, names: Sequence[str]) -> OpenFile | OpenDirectory | None:
        if any(not name or "/" in name for name in names):
            return None
        try:
            found = self._root.open_at("/".join(names) or ".", _READ, follow=True)
        except FilesystemError as error:
            if error.payload in _ABSENT:
                return None
            raise
        if isinstance(found, OpenFile) and found.stat().kind != "regular-file":
            found.close()
            return None
        return found

    async def _send(self, exchange: Exchange, file: OpenFile, name: str) -> None:
        stat = file.stat()
        facts = Facts(stat.size, stat.modified)
        reply, fields = exchange.reply, exchange.request.headers
        reply.set("ETag", facts.tag)
        reply.set("Last-Modified", facts.time)
        reply.set("Accept-Ranges", "bytes")
        if self._plan.cache is not None:
            reply.set("Cache-Control", self._plan.cache)
        status = precondition(fields, facts)
        if status is not None:
            return await _without_body(reply, status)
        part = wanted_range(fields, facts) if exchange.request.method == "GET" else None
        if part is not None and not part:
            await reply.fail(Problem(416, fields={"Content-Range": f"bytes */{facts.size}"}))
            return None
        if part is not None:
            reply.set_status(206)
            reply.set("Content-Range", f"bytes {part.start}-{part.stop - 1}/{facts.size}")
        reply.set("Content-Type", _content_type(name))
        reply.set("X-Content-Type-Options", "nosniff")
        await _copy(file, reply, part if part is not None else range(facts.size))
        return None


async def _copy(file: OpenFile, reply: Reply, part: range) -> None:
    reply.set("Content-Length", str(len(part)))
    if reply.is_bare:
        await reply.end()
        return
    at = part.start
    while at < part.stop:
        most = min(_PIECE, part.stop - at)
        data = file.read(most, at) if len(part) <= _PIECE else await asyncio.to_thread(file.read, most, at)
        if not data:
            break  # it became shorter: the reply says so by its length
        await reply.write(data)
        at += len(data)
    await reply.end()


async def _without_body(reply: Reply, status: int) -> None:
    if status == 412:
        await reply.fail(Problem(412))
        return
    reply.set_status(status)
    await reply.end()


async def _redirect(exchange: Exchange) -> None:
    query = exchange.request.query_string
    path = "/" + "/".join(quote(name, safe="") for name in exchange.target.segments) + "/"
    exchange.reply.set_status(308)
    exchange.reply.set("Location", f"{path}?{query}" if query else path)
    await exchange.reply.end()


def _content_type(name: str) -> str:
    kind, encoding = mimetypes.guess_type(name)
    if kind is None or encoding is not None:
        return "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") or kind == "application/javascript" else kind
