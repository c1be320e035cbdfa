"""Why a stream did not do what was asked: the `error` resource, and the cases of `stream-error`.

In: what went wrong on the host. Out: exceptions that reach the guest as the `err` of its call.

Spec: `wasi:io/error`, `wasi:io/streams`.
"""

from __future__ import annotations

import errno

from wippywasm.errors import WitError
from wippywasm.instance.offered import HostInterface
from wippywasm.values import Variant
from wippywasm.wasi.handles import Handle


class IoError(Handle):
    """The `error` resource: a text for people. `cause` is for the interface that made it, such as an error code."""

    def __init__(self, text: str, cause: object = None) -> None:
        super().__init__()
        self.text = text
        self.cause = cause

    def to_debug_string(self) -> str:
        return self.text


class Error(HostInterface):
    """`wasi:io/error`."""

    wit = "wasi:io/error"

    error = IoError


def closed() -> WitError:
    """The end of a stream."""
    return WitError(Variant("closed"))


def failed(text: str, cause: object = None) -> WitError:
    """An operation that failed; a stream is closed after it."""
    return WitError(Variant("last-operation-failed", IoError(text, cause)))


def failed_with(error: BaseException) -> WitError:
    """What a host's exception is to the guest; its text names no path of the host."""
    if isinstance(error, WitError):
        return error
    if isinstance(error, OSError) and error.errno is not None:
        return failed(error.strerror or "input or output failed", errno.errorcode.get(error.errno))
    return failed(f"the host failed: {type(error).__name__}")
