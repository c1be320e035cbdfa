"""What a client is told when something goes wrong.

In: an error, or a status. Out: a `Problem`, which is sent as `application/problem+json` (RFC 9457). The body never
has what a handler raised: that goes to the log, with the entry. A detail is there only where the request itself is to
blame. Spec: SPEC section 12.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from http import HTTPStatus

from wippywasm.app.json_values.text import dump_json
from wippywasm.dataclass import dataclass
from wippywasm.errors import (
    ErrorKind,
    InternalError,
    InvalidError,
    PermissionDeniedError,
    RateLimitedError,
    TimedOutError,
    UnavailableError,
    ValueMismatchError,
    WippyError,
)

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER = {"Retry-After": "1"}


class BadRequestError(InvalidError):
    """The request itself is wrong, and its sender may know how."""


class BodyTooLargeError(InvalidError):
    """More than a body may have."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the request's body is larger than {limit:,} bytes", details={"limit": limit})


class SlowBodyError(InternalError):
    """The body did not arrive in time."""

    def __init__(self) -> None:
        super().__init__("the request's body did not arrive in time")


@dataclass(frozen=True)
class Problem:
    """A status, the kind of the error where there was one, what the client may know, and further fields."""

    status: int
    kind: ErrorKind | None = None
    detail: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        said = {"title": HTTPStatus(self.status).phrase, "status": self.status}
        more = {"kind": self.kind.value if self.kind else None, "detail": self.detail}
        return dump_json({**said, **{name: value for name, value in more.items() if value is not None}}).encode()


def problem_of(error: Exception) -> Problem:
    """What a client is told of an error; 500 for whatever is not known to be something else."""
    for kinds, status, says_why in _STATUS:
        if isinstance(error, kinds):
            assert isinstance(error, WippyError)
            fields = RETRY_AFTER if status in (429, 503) else {}
            return Problem(status, error.kind, str(error) if says_why else None, fields)
    if type(error) in (InvalidError, ValueMismatchError):
        return Problem(400, ErrorKind.INVALID)
    return Problem(500, ErrorKind.INTERNAL)


_STATUS: tuple[tuple[type[Exception], int, bool], ...] = (
    (BadRequestError, 400, True),
    (BodyTooLargeError, 413, True),
    (SlowBodyError, 408, True),
    (TimedOutError, 504, False),
    (PermissionDeniedError, 403, False),
    (RateLimitedError, 429, False),
    (UnavailableError, 503, False),
)
