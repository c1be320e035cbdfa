"""Where the bytes of input streams come from.

In: bytes, file descriptors, functions. Out: `Source`s, which an `InputStream` or a preview 1 descriptor reads.

Spec: `wasi:io/streams`, `input-stream`.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, runtime_checkable

from wippywasm.errors import InvalidError, WitError
from wippywasm.instance.waiting import waits
from wippywasm.wasi.stream_errors import closed, failed_with
from wippywasm.wasi.waitables import Background, FileReady, Waitable, settled

LOG = logging.getLogger("wippywasm.wasi")
MAX_READ = 1 << 16
"""Bytes that one read gives at most, and that a source keeps in advance."""


@runtime_checkable
class Source(Waitable, Protocol):
    """Bytes to read. It is ready when `take` would give some or raise."""

    def take(self, limit: int) -> bytes | Awaitable[bytes]:
        """Up to `limit` bytes that are there, none where none are yet; raises `closed()` or `failed()`."""
        ...

    def close(self) -> None:
        """Nobody will read from it any more."""
        ...


class BytesSource:
    """Bytes in memory."""

    def __init__(self, data: bytes = b"") -> None:
        self._data = memoryview(data)

    def is_ready(self) -> bool:
        return True

    async def ready(self) -> None: ...

    def take(self, limit: int) -> bytes:
        if not self._data:
            raise closed()
        data, self._data = bytes(self._data[:limit]), self._data[limit:]
        return data

    def close(self) -> None:
        self._data = memoryview(b"")


class FileSource:
    """A file descriptor, which stays its owner's: it is read when it has something, and not closed.

    `owner` is kept alive, since the end of a file object closes its descriptor.
    """

    def __init__(self, fd: int, owner: object = None) -> None:
        self.fd = fd
        self.owner = owner
        self._wait = FileReady.to_read(fd)
        self._ended = False

    def is_ready(self) -> bool:
        return self._ended or self._wait.is_ready()

    async def ready(self) -> None:
        if not self._ended:
            await self._wait.ready()

    def take(self, limit: int) -> bytes:
        if self._ended:
            raise closed()
        if not limit or not self._wait.is_ready():
            return b""
        try:
            data = os.read(self.fd, limit)
        except BlockingIOError:
            return b""  # another process was quicker
        except OSError as error:
            self._ended = True
            raise failed_with(error) from None
        if not data:
            self._ended = True
            raise closed()
        return data

    def close(self) -> None:
        """Nothing of it is ours."""


class CallbackSource:
    """A function `fetch(limit)`, plain or async, that gives bytes, or none at the end.

    It is called ahead of the guest's need as soon as the guest has asked once. What it raises is a failure of the read
    and a warning of the log; where it gives no bytes, the guest's call fails with InvalidError.
    """

    def __init__(self, fetch: Callable[[int], bytes | Awaitable[bytes]]) -> None:
        self._fetch = fetch
        self._buffer = memoryview(b"")
        self._end: Exception | None = None
        self._fetching: Background | None = None

    def is_ready(self) -> bool:
        return bool(self._buffer) or self._end is not None

    async def ready(self) -> None:
        self._start()
        if self._fetching is not None:
            await self._fetching.wait()

    def take(self, limit: int) -> bytes:
        self._start()
        data, self._buffer = bytes(self._buffer[:limit]), self._buffer[limit:]
        if not data and not self._buffer and self._end is not None:
            end, self._end = self._end, closed()
            raise end
        return data

    def close(self) -> None:
        self._end = closed()
        self._buffer = memoryview(b"")
        if self._fetching is not None:
            self._fetching.cancel()

    def _start(self) -> None:
        """Ask for more where there is nothing."""
        if self._fetching is not None:
            self._fetching.start()
        elif not self.is_ready():
            try:
                got = self._fetch(MAX_READ)
            except Exception as error:  # noqa: BLE001  the owner's code, whose failure is the guest's
                self._got(None, error)
                return
            if waits(got):
                self._fetching = Background(settled(got), self._got)
            else:
                self._got(got, None)

    def _got(self, data: Any, error: BaseException | None) -> None:
        self._fetching = None
        if isinstance(error, asyncio.CancelledError) or self._end is not None:
            return  # the loop ended, or the guest closed it
        if error is not None:
            if not isinstance(error, WitError):  # the guest may take it for the end
                LOG.warning("input of a guest failed: %s: %s", type(error).__name__, error)
            self._end = failed_with(error)
        elif not isinstance(data, bytes | bytearray | memoryview):
            self._end = InvalidError(f"an input's `read` must give bytes, not {type(data).__name__}")
        elif not data:
            self._end = closed()
        else:
            self._buffer = memoryview(bytes(data))
