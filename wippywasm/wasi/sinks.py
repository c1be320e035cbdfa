"""Where the bytes of output streams go.

In: file descriptors, functions, buffers. Out: `Sink`s, which an `OutputStream` or a preview 1 descriptor writes to.

Spec: `wasi:io/streams`, `output-stream`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import stat
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, runtime_checkable

from wippywasm.errors import WitError
from wippywasm.instance.waiting import waits
from wippywasm.wasi.given import COUNT
from wippywasm.wasi.stream_errors import closed, failed, failed_with
from wippywasm.wasi.waitables import Background, FileReady, Waitable

LOG = logging.getLogger("wippywasm.wasi")
MAX_WRITE = 1 << 16
"""Bytes that one write takes at most."""
PIPE_WRITE = 4096
"""Bytes that a pipe takes without waiting once it is ready: POSIX's PIPE_BUF on Linux."""


@runtime_checkable
class Sink(Waitable, Protocol):
    """Where to write. It is ready when `permit` would be more than nothing, or raise."""

    def permit(self) -> int:
        """How many bytes `put` takes now; 0 while it is busy. Raises `closed()` or `failed()`."""
        ...

    def put(self, data: bytes) -> None:
        """Write so many bytes as were permitted; raises as `permit`."""
        ...

    def flush(self) -> None:
        """Permit nothing until all that was put has gone out."""
        ...

    def close(self) -> None:
        """Nobody will write to it any more; what was put still goes out."""
        ...


class NullSink:
    """Takes everything and keeps nothing."""

    def is_ready(self) -> bool:
        return True

    async def ready(self) -> None: ...

    def permit(self) -> int:
        return MAX_WRITE

    def put(self, data: bytes) -> None: ...

    def flush(self) -> None: ...

    def close(self) -> None: ...


class Capture(NullSink):
    """Keeps what a guest writes, at most `limit` bytes; a write of more fails. Raises InvalidError for no limit."""

    def __init__(self, limit: int = 16 << 20) -> None:
        COUNT.require("limit", limit)
        self.limit = limit
        self._data = bytearray()
        self._failure: WitError | None = None

    @property
    def data(self) -> bytes:
        """All that was written so far."""
        return bytes(self._data)

    @property
    def text(self) -> str:
        """The same as UTF-8, with what is not valid replaced."""
        return self._data.decode(errors="replace")

    def permit(self) -> int:
        if self._failure is not None:
            failure, self._failure = self._failure, closed()
            raise failure
        return MAX_WRITE

    def put(self, data: bytes) -> None:
        room = self.limit - len(self._data)
        self._data += data[:room]
        if len(data) > room:
            self._failure = failed(f"the output is longer than {self.limit} bytes", "insufficient-space")


class Lost:
    """Tells the log that output was lost: the first time, since a guest may go on writing."""

    def __init__(self) -> None:
        self._told = False

    def tell(self, error: BaseException) -> None:
        if not self._told and not isinstance(error, asyncio.CancelledError | WitError):
            self._told = True
            LOG.warning("output of a guest was lost: %s: %s", type(error).__name__, error)


class FileSink:
    """A file descriptor, which stays its owner's: it is written when it takes something, and not closed.

    `owner`, the file object that it is of, is kept alive, and what that holds back is written first. `on_lost` is told
    when a write fails, since the guest may not care; without it, the log is.
    """

    def __init__(self, fd: int, owner: Any = None, on_lost: Callable[[OSError], None] | None = None) -> None:
        self.fd = fd
        self.owner = owner
        self._on_lost = on_lost or Lost().tell
        self._flush_owner: Callable[[], object] | None = getattr(owner, "flush", None)
        self._wait = FileReady.to_write(fd)
        self._limit = MAX_WRITE if stat.S_ISREG(os.fstat(fd).st_mode) else PIPE_WRITE
        self._left = b""
        self._failure: WitError | None = None

    def is_ready(self) -> bool:
        return self._failure is not None or self._wait.is_ready()

    async def ready(self) -> None:
        await self._wait.ready()

    def permit(self) -> int:
        if self._failure is not None:
            failure, self._failure = self._failure, closed()
            raise failure
        if self._left and self._wait.is_ready():
            self._write(self._left)
        return self._limit if not self._left and self._wait.is_ready() else 0

    def put(self, data: bytes) -> None:
        if self._flush_owner is not None:
            self._flush_owner()
        self._write(data)

    def flush(self) -> None: ...

    def close(self) -> None: ...

    def _write(self, data: bytes) -> None:
        try:
            self._left = data[os.write(self.fd, data) :]
        except BlockingIOError:
            self._left = data
        except OSError as error:
            self._left, self._failure = b"", failed_with(error)
            self._on_lost(error)


class CallbackSink:
    """A function `send(data)`, plain or async; while it works, nothing more is taken.

    What it raises is a failure, which the log has too, since the guest may not care.
    """

    def __init__(self, send: Callable[[bytes], Any | Awaitable[Any]]) -> None:
        self._send = send
        self._sending: Background | None = None
        self._failure: WitError | None = None
        self._on_lost = Lost().tell

    def is_ready(self) -> bool:
        return self._sending is None

    async def ready(self) -> None:
        if self._sending is not None:
            await self._sending.wait()

    def permit(self) -> int:
        if self._sending is not None:
            self._sending.start()
            return 0
        if self._failure is not None:
            failure, self._failure = self._failure, closed()
            raise failure
        return MAX_WRITE

    def put(self, data: bytes) -> None:
        try:
            sent = self._send(data)
        except Exception as error:  # noqa: BLE001  the owner's code, whose failure is the guest's
            self._sent(None, error)
            return
        if waits(sent):
            self._sending = Background(sent, self._sent)

    def flush(self) -> None: ...

    def close(self) -> None: ...

    def _sent(self, value: Any, error: BaseException | None) -> None:
        self._sending = None
        if error is not None:
            self._failure = failed_with(error)
            self._on_lost(error)
