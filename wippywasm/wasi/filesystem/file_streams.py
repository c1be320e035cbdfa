"""Streams over files.

In: a file's descriptor of their own, and an offset. Out: a source and sinks for `wasi:io/streams`. They are always
ready, but for files whose writes wait for the disk.

Spec: `wasi:filesystem/types`, `read-via-stream`, `write-via-stream`, `append-via-stream`.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from wippywasm.errors import WitError
from wippywasm.threads import in_event_loop
from wippywasm.wasi.filesystem.codes import FilesystemError
from wippywasm.wasi.filesystem.protocol import FileDescriptor
from wippywasm.wasi.filesystem.waiting import SYNC_FLAGS, InThread
from wippywasm.wasi.sinks import MAX_WRITE, CallbackSink
from wippywasm.wasi.stream_errors import closed, failed
from wippywasm.wasi.streams import InputStream, OutputStream


def input_stream(file: FileDescriptor, offset: int) -> InputStream:
    """Reads from `offset` on, whatever becomes of the descriptor."""
    return InputStream(FileSource(file.reopen(), offset))


def output_stream(file: FileDescriptor, offset: int | None) -> OutputStream:
    """Writes from `offset` on; at the end for None."""
    own = FileWriter(file.reopen(), offset)
    waits = file.on_disk and file.flags & SYNC_FLAGS
    return OutputStream(SyncedFileSink(own) if waits else FileSink(own))


class FileSource:
    """Implements `sources.Source`; owns the file."""

    def __init__(self, file: FileDescriptor, offset: int) -> None:
        self._file = file
        self._offset = offset
        self._ended = False

    def is_ready(self) -> bool:
        return True

    async def ready(self) -> None: ...

    def take(self, limit: int) -> bytes:
        if self._ended:
            raise closed()
        if not limit:
            return b""
        try:
            data = self._file.read(limit, self._offset)
        except FilesystemError as error:
            self._ended = True
            raise stream_failure(error) from error
        if not data:
            raise closed()
        self._offset += len(data)
        return data

    def close(self) -> None:
        self._file.close()


class FileWriter:
    """Where the next write goes."""

    def __init__(self, file: FileDescriptor, offset: int | None) -> None:
        self._file = file
        self._offset = offset

    def write(self, data: bytes) -> None:
        """Write all of it; raises what the guest gets."""
        try:
            while data:
                data = data[self._write(data) :]
        except FilesystemError as error:
            raise stream_failure(error) from error

    def _write(self, data: bytes) -> int:
        if self._offset is None:
            return self._file.append(data)
        count = self._file.write(data, self._offset)
        self._offset += count
        return count

    def close(self) -> None:
        self._file.close()


class FileSink:
    """Implements `sinks.Sink`; what is put is written at once."""

    def __init__(self, writer: FileWriter) -> None:
        self._writer = writer
        self._failed = False

    def is_ready(self) -> bool:
        return True

    async def ready(self) -> None: ...

    def permit(self) -> int:
        if self._failed:
            raise closed()
        return MAX_WRITE

    def put(self, data: bytes) -> None:
        if self._failed:
            raise closed()
        try:
            self._writer.write(data)
        except WitError:
            self._failed = True
            raise

    def flush(self) -> None: ...

    def close(self) -> None:
        self._writer.close()


class SyncedFileSink(CallbackSink):
    """Writes in a thread, one write after the other; closes the file after the last.

    Without an event loop, where the guest's caller waits anyway, it writes at once: nobody might ask for it again.
    """

    def __init__(self, writer: FileWriter) -> None:
        super().__init__(self._write)
        self._writer = writer
        self._closing = False

    def _write(self, data: bytes) -> Awaitable[None] | None:
        if in_event_loop():
            return InThread(lambda: self._writer.write(data))
        self._writer.write(data)
        return None

    def close(self) -> None:
        self._closing = True
        if self.is_ready():
            self._writer.close()

    def _sent(self, value: Any, error: BaseException | None) -> None:
        super()._sent(value, error)
        if self._closing:
            self._writer.close()


def stream_failure(error: FilesystemError) -> WitError:
    """The failure of a stream, from which `filesystem-error-code` gets the code."""
    return failed(f"the file operation failed: {error.code}", error.code)
