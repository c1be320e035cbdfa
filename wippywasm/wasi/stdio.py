"""Standard input, output and error: from what people give to sources and sinks.

In: `"inherit"`, bytes, files, functions, a `Capture`, `None`. Out: `Stdin` and `Stdout`, shared by all streams that a
guest opens on them.

Spec: SPEC section 14 (`Wasi(stdin=…, stdout=…, stderr=…)`).
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any, BinaryIO, Literal, Protocol, TypeAlias, runtime_checkable

from wippywasm.dataclass import dataclass
from wippywasm.errors import InvalidError
from wippywasm.wasi.sinks import CallbackSink, Capture, FileSink, NullSink, Sink
from wippywasm.wasi.sources import BytesSource, CallbackSource, FileSource, Source

Input: TypeAlias = "Literal['inherit'] | bytes | BinaryIO | Source | Callable[[int], bytes | Awaitable[bytes]] | None"
"""The process's own input; what there is to read; a binary file; a function `read(limit)`; nothing at all."""
Output: TypeAlias = "Literal['inherit'] | Capture | BinaryIO | Sink | Stdout | Callable[[bytes], Any] | None"
"""The process's own output; a buffer; a binary file; what was opened before; a function `write(data)`; nowhere."""


_INPUT = "'inherit', bytes, a binary file or a function"
_OUTPUT = "'inherit', a Capture, a binary file or a function"


@dataclass(frozen=True)
class Stdin:
    """`is_terminal` is whether a person may sit there."""

    source: Source
    is_terminal: bool = False


@dataclass(frozen=True)
class Stdout:
    """Standard output or standard error."""

    sink: Sink
    is_terminal: bool = False


@runtime_checkable
class _Readable(Protocol):
    def read(self, n: int, /) -> bytes: ...


@runtime_checkable
class _Writable(Protocol):
    def write(self, data: bytes, /) -> Any: ...


def open_input(given: object) -> Stdin:
    """Standard input from what was given; raises InvalidError for what can't be read from."""
    if given is None or isinstance(given, bytes | bytearray | memoryview):
        return Stdin(BytesSource(bytes(given or b"")))
    if given == "inherit":
        return _own_input()
    _require_bytes("stdin", _INPUT, given)
    if isinstance(given, Source):
        return Stdin(given)
    if isinstance(given, _Readable):
        fd = _descriptor(given)
        return Stdin(FileSource(fd, given), os.isatty(fd)) if fd is not None else Stdin(CallbackSource(given.read))
    if callable(given):
        return Stdin(CallbackSource(given))
    raise _refusal("stdin", _INPUT, given)


def open_output(given: object, own: str) -> Stdout:
    """Standard output or error; `own` is the name of the process's, in `sys`. Raises InvalidError."""
    if given is None:
        return Stdout(NullSink())
    if given == "inherit":
        return own_output(own)
    _require_bytes(own, _OUTPUT, given)
    if isinstance(given, Stdout):
        return given
    if isinstance(given, Sink):
        return Stdout(given)
    if isinstance(given, _Writable):
        return _file_output(given)
    if callable(given):
        return Stdout(CallbackSink(given))
    raise _refusal(own, _OUTPUT, given)


def _require_bytes(name: str, expected: str, given: object) -> None:
    """Refuse files of text that have no descriptor to go around them by, and classes in place of their objects."""
    if isinstance(given, type):
        raise InvalidError(f"{name} must be {expected}, not the class {given.__name__}")
    if isinstance(given, io.TextIOBase) and _descriptor(given) is None:
        raise _refusal(name, expected, given, "streams are of bytes: use io.BytesIO, or a text file's `buffer`")


def _refusal(name: str, expected: str, given: object, hint: str | None = None) -> InvalidError:
    return InvalidError(f"{name} must be {expected}, not {type(given).__name__}", hint=hint)


def _own_input() -> Stdin:
    fd = _descriptor(sys.stdin)
    if fd is not None:
        return Stdin(FileSource(fd, sys.stdin), os.isatty(fd))
    buffer = getattr(sys.stdin, "buffer", None)
    return Stdin(BytesSource() if buffer is None else CallbackSource(buffer.read))


def own_output(own: str, on_lost: Callable[[OSError], None] | None = None) -> Stdout:
    """The process's own output; `own` is its name in `sys`, `on_lost` is told when a write to its file fails."""
    stream = getattr(sys, own)
    if stream is None:
        return Stdout(NullSink())
    fd = _descriptor(stream)
    if fd is None:
        return Stdout(CallbackSink(_text_writer(stream)))
    return Stdout(FileSink(fd, stream, on_lost), os.isatty(fd))


def _file_output(file: _Writable) -> Stdout:
    fd = _descriptor(file)
    if fd is None:
        return Stdout(CallbackSink(_writer(file)))
    return Stdout(FileSink(fd, file), os.isatty(fd))


def _writer(file: _Writable) -> Callable[[bytes], None]:
    """One that writes all of it: raw files take what they have room for, and say how much that was."""

    def write(data: bytes) -> None:
        if not isinstance(file, io.RawIOBase):
            file.write(data)
            return
        while data:
            data = data[_taken(file.write(data), len(data)) :]

    return write


def _taken(written: object, count: int) -> int:
    """How many of `count` bytes a raw file says it took. Raises OSError where none, or where that can't be."""
    if written is None or (isinstance(written, int) and written == 0):
        raise BlockingIOError(errno.EAGAIN, "the file takes nothing now")
    if not isinstance(written, int) or not 0 < written <= count:
        raise OSError(errno.EIO, f"the file says it took {written!r} of {count} bytes")
    return written


def _text_writer(stream: Any) -> Callable[[bytes], None]:
    """For a `sys.stdout` that someone replaced by an object without a file behind it."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def write(data: bytes) -> None:
        stream.write(decoder.decode(data))
        stream.flush()

    return write


def _descriptor(file: Any) -> int | None:
    """The file descriptor behind a file object, where it has one."""
    try:
        fd: int = file.fileno()
    except (AttributeError, OSError, ValueError):
        return None
    return fd
