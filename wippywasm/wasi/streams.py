"""`wasi:io/streams`: the `input-stream` and `output-stream` resources over sources and sinks.

In: a `Source` or `Sink`. Out: what guests read and write. Methods that would have to wait return something to wait for;
everything else answers at once.

Spec: `wasi:io/streams`.
"""

from __future__ import annotations

from collections.abc import Awaitable

from wippywasm.errors import Trap
from wippywasm.instance.offered import HostInterface
from wippywasm.wasi.handles import Handle
from wippywasm.wasi.pollables import Pollable
from wippywasm.wasi.sinks import MAX_WRITE, Sink
from wippywasm.wasi.sources import MAX_READ, Source
from wippywasm.wasi.waitables import settled, wait_any

MAX_BLOCKING_WRITE = 4096
"""What the specification lets `blocking-write-and-flush` bring at most."""


class InputStream(Handle):
    """Reads from `source`; closes it with itself, unless the source is shared (`keep`)."""

    def __init__(self, source: Source, parent: Handle | None = None, *, keep: bool = False) -> None:
        super().__init__(parent)
        self.source = source
        self._keep = keep

    def read(self, length: int) -> bytes | Awaitable[bytes]:
        return self.source.take(min(length, MAX_READ))

    def blocking_read(self, length: int) -> bytes | Awaitable[bytes]:
        return self.read(length) if self.source.is_ready() else self._blocking_read(length)

    async def _blocking_read(self, length: int) -> bytes:
        while True:
            await self.source.ready()
            data: bytes = await settled(self.read(length))
            if data or not length:
                return data

    def skip(self, length: int) -> int | Awaitable[int]:
        data = self.read(length)
        return len(data) if isinstance(data, bytes) else _length(data)

    def blocking_skip(self, length: int) -> int | Awaitable[int]:
        return self.skip(length) if self.source.is_ready() else _length(self._blocking_read(length))

    def subscribe(self) -> Pollable:
        return Pollable(self.source, self)

    def release(self) -> None:
        if not self._keep:
            self.source.close()


async def _length(data: Awaitable[bytes]) -> int:
    return len(await data)


async def _after(work: Awaitable[None], value: int) -> int:
    await work
    return value


class OutputStream(Handle):
    """Writes to `sink`; closes it with itself, unless the sink is shared (`keep`)."""

    def __init__(self, sink: Sink, parent: Handle | None = None, *, keep: bool = False) -> None:
        super().__init__(parent)
        self.sink = sink
        self._keep = keep
        self._permit = 0

    def check_write(self) -> int:
        self._permit = 0
        self._permit = min(self.sink.permit(), MAX_WRITE)
        return self._permit

    def write(self, contents: bytes) -> Awaitable[None] | None:
        self._spend(len(contents))
        return self._write_permitted(contents)

    def write_zeroes(self, length: int) -> Awaitable[None] | None:
        self._spend(length)
        return self._write_permitted(bytes(length))

    def _write_permitted(self, contents: bytes) -> Awaitable[None] | None:
        """At once, unless another stream on the same sink has used up the room since it was permitted."""
        if not contents:
            return None
        if self._keep and self.sink.permit() < len(contents):
            return self._write_out(contents)
        self.sink.put(contents)
        return None

    def _spend(self, length: int) -> None:
        if length > self._permit:
            raise Trap(
                f"the guest wrote {length} bytes to a stream that permitted {self._permit}", code="write not permitted"
            )
        self._permit -= length

    def flush(self) -> None:
        self._permit = 0
        self.sink.permit()
        self.sink.flush()

    def blocking_flush(self) -> Awaitable[None] | None:
        self.flush()
        return None if self.sink.permit() else self._drained()

    def blocking_write_and_flush(self, contents: bytes) -> Awaitable[None] | None:
        if len(contents) > MAX_BLOCKING_WRITE:
            raise Trap(
                f"blocking-write-and-flush takes {MAX_BLOCKING_WRITE} bytes at most, not {len(contents)}",
                code="write not permitted",
            )
        return self.write_out(contents)

    def blocking_write_zeroes_and_flush(self, length: int) -> Awaitable[None] | None:
        if length > MAX_BLOCKING_WRITE:
            raise Trap(
                f"blocking-write-zeroes-and-flush takes {MAX_BLOCKING_WRITE} bytes at most, not {length}",
                code="write not permitted",
            )
        return self.write_out(bytes(length))

    def write_out(self, contents: bytes) -> Awaitable[None] | None:
        """Write and flush, whatever the size; something to wait for where it does not all go at once."""
        self._permit = 0
        permit = self.sink.permit()
        if not permit or permit < len(contents):
            return self._write_out(contents)
        if contents:
            self.sink.put(contents)
        self.sink.flush()
        return None if self.sink.permit() else self._drained()

    async def _write_out(self, contents: bytes) -> None:
        while contents:
            permit = min(self.sink.permit(), MAX_WRITE)
            if permit:
                self.sink.put(contents[:permit])
                contents = contents[permit:]
            else:
                await self.sink.ready()
        self.sink.flush()
        await self._drained()

    async def _drained(self) -> None:
        while not self.sink.permit():
            await self.sink.ready()

    def splice(self, src: InputStream, length: int) -> int | Awaitable[int]:
        length = min(length, self.check_write())
        if not length:
            return 0
        data = src.read(length)
        return self._splice_now(data) if isinstance(data, bytes) else self._splice_later(data)

    def _splice_now(self, data: bytes) -> int | Awaitable[int]:
        written = self.write(data)
        return len(data) if written is None else _after(written, len(data))

    async def _splice_later(self, data: Awaitable[bytes]) -> int:
        moved: int = await settled(self._splice_now(await data))
        return moved

    def blocking_splice(self, src: InputStream, length: int) -> int | Awaitable[int]:
        ready = self.sink.is_ready() and src.source.is_ready()
        return self.splice(src, length) if ready else self._blocking_splice(src, length)

    async def _blocking_splice(self, src: InputStream, length: int) -> int:
        while True:
            for side in (self.sink, src.source):
                if not side.is_ready():
                    await wait_any([side])
            moved: int = await settled(self.splice(src, length))
            if moved or not length:
                return moved

    def subscribe(self) -> Pollable:
        return Pollable(self.sink, self)

    def release(self) -> None:
        if not self._keep:
            self.sink.close()


class Streams(HostInterface):
    """`wasi:io/streams`."""

    wit = "wasi:io/streams"

    input_stream = InputStream
    output_stream = OutputStream
