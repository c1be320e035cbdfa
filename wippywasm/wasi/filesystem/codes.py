"""Error codes of files: those of `wasi:filesystem`, and how the operating system's become them.

In: exceptions of `os`. Out: `FilesystemError`, whose code is a WIT name.

Spec: `wasi:filesystem/types`, `error-code`.
"""

from __future__ import annotations

import errno
from types import TracebackType

from wippywasm.errors import WitError

_CODES = {
    "EACCES": "access",
    "EAGAIN": "would-block",
    "EALREADY": "already",
    "EBADF": "bad-descriptor",
    "EBUSY": "busy",
    "EDEADLK": "deadlock",
    "EDQUOT": "quota",
    "EEXIST": "exist",
    "EFBIG": "file-too-large",
    "EILSEQ": "illegal-byte-sequence",
    "EINPROGRESS": "in-progress",
    "EINTR": "interrupted",
    "EINVAL": "invalid",
    "EIO": "io",
    "EISDIR": "is-directory",
    "ELOOP": "loop",
    "EMFILE": "quota",
    "EMLINK": "too-many-links",
    "EMSGSIZE": "message-size",
    "ENAMETOOLONG": "name-too-long",
    "ENFILE": "quota",
    "ENODEV": "no-device",
    "ENOENT": "no-entry",
    "ENOLCK": "no-lock",
    "ENOMEM": "insufficient-memory",
    "ENOSPC": "insufficient-space",
    "ENOSYS": "unsupported",
    "ENOTDIR": "not-directory",
    "ENOTEMPTY": "not-empty",
    "ENOTRECOVERABLE": "not-recoverable",
    "ENOTSUP": "unsupported",
    "ENOTTY": "no-tty",
    "ENXIO": "no-such-device",
    "EOPNOTSUPP": "unsupported",
    "EOVERFLOW": "overflow",
    "EPERM": "not-permitted",
    "EPIPE": "pipe",
    "EROFS": "read-only",
    "ESPIPE": "invalid-seek",
    "ETXTBSY": "text-file-busy",
    "EXDEV": "cross-device",
}
_BY_NUMBER = {getattr(errno, name): code for name, code in _CODES.items() if hasattr(errno, name)}

ERROR_CODES = frozenset(_CODES.values())
"""Every case of the WIT enum `error-code`."""


class FilesystemError(WitError):
    """What a file operation failed with: `code` is a case of `error-code`, and the payload that the guest gets."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
        self.message = f"the file operation failed: {code}"


def code_of(error: OSError) -> str:
    """The code for an error of the operating system; `io` for one that has no other."""
    return _BY_NUMBER.get(error.errno or 0, "io")


class _Translation:
    """`with OS_ERRORS:` raises FilesystemError where the operating system refuses."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if isinstance(error, OSError):
            raise FilesystemError(code_of(error)) from error
        if isinstance(error, OverflowError):
            raise FilesystemError("overflow") from error


OS_ERRORS = _Translation()
