"""Error numbers of preview 1.

In: names, and errors of hosts. Out: numbers.

Spec: WASI preview 1, `errno`.
"""

from __future__ import annotations

from wippywasm.errors import WitError
from wippywasm.values import Variant
from wippywasm.wasi.stream_errors import IoError

# fmt: off
_NAMES = (
    "success", "2big", "acces", "addrinuse", "addrnotavail", "afnosupport", "again", "already", "badf",
    "badmsg", "busy", "canceled", "child", "connaborted", "connrefused", "connreset", "deadlk", "destaddrreq",
    "dom", "dquot", "exist", "fault", "fbig", "hostunreach", "idrm", "ilseq", "inprogress", "intr", "inval",
    "io", "isconn", "isdir", "loop", "mfile", "mlink", "msgsize", "multihop", "nametoolong", "netdown",
    "netreset", "netunreach", "nfile", "nobufs", "nodev", "noent", "noexec", "nolck", "nolink", "nomem",
    "nomsg", "noprotoopt", "nospc", "nosys", "notconn", "notdir", "notempty", "notrecoverable", "notsock",
    "notsup", "notty", "nxio", "overflow", "ownerdead", "perm", "pipe", "proto", "protonosupport", "prototype",
    "range", "rofs", "spipe", "srch", "stale", "timedout", "txtbsy", "xdev", "notcapable",
)
# fmt: on
ERRNO = {name: number for number, name in enumerate(_NAMES)}

_OF_WIT = {
    "access": "acces",
    "would-block": "again",
    "bad-descriptor": "badf",
    "deadlock": "deadlk",
    "quota": "dquot",
    "file-too-large": "fbig",
    "illegal-byte-sequence": "ilseq",
    "in-progress": "inprogress",
    "interrupted": "intr",
    "invalid": "inval",
    "is-directory": "isdir",
    "too-many-links": "mlink",
    "message-size": "msgsize",
    "name-too-long": "nametoolong",
    "no-device": "nodev",
    "no-entry": "noent",
    "no-lock": "nolck",
    "insufficient-memory": "nomem",
    "insufficient-space": "nospc",
    "not-directory": "notdir",
    "not-empty": "notempty",
    "not-recoverable": "notrecoverable",
    "unsupported": "notsup",
    "no-tty": "notty",
    "no-such-device": "nxio",
    "not-permitted": "perm",
    "read-only": "rofs",
    "invalid-seek": "spipe",
    "text-file-busy": "txtbsy",
    "cross-device": "xdev",
}


class ErrnoError(Exception):
    """Ends a function with that error; never leaves the host."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.number = ERRNO[name]


def number_of(error: WitError) -> int:
    """The number for an error of a file or stream: its payload is an `error-code` or a `stream-error`."""
    payload = error.payload
    if isinstance(payload, Variant):
        payload = payload.payload.cause if isinstance(payload.payload, IoError) else "pipe"
    name = str(payload)
    name = _OF_WIT.get(name, name.lower().removeprefix("e") if name.startswith("E") else name)
    return ERRNO.get(name, ERRNO["io"])


def end_of_stream(error: WitError) -> bool:
    """Whether it only says that there is no more."""
    return isinstance(error.payload, Variant) and error.payload.case == "closed"
