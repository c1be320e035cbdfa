"""Errors on both sides of the border.

In: Python exceptions, or the facts of Lua's error objects. Out: the other. An exception that Lua only handed on comes
out as the very object it was. Spec: SPEC section 6.
"""

from __future__ import annotations

from typing import Any

from wippywasm.dataclass import dataclass
from wippywasm.errors import (
    AlreadyExistsError,
    CanceledError,
    ConflictError,
    ErrorKind,
    InternalError,
    InvalidError,
    LuaError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    TimedOutError,
    Trap,
    UnavailableError,
    ValueMismatchError,
    WippyError,
)

_CLASSES: dict[str, type[WippyError]] = {
    cls.kind.value: cls
    for cls in (
        NotFoundError,
        AlreadyExistsError,
        InvalidError,
        PermissionDeniedError,
        UnavailableError,
        InternalError,
        CanceledError,
        ConflictError,
        TimedOutError,
        RateLimitedError,
    )
}
_UNSAID, _YES, _NO = range(3)
_REMEMBERED = 64


@dataclass(frozen=True, slots=True)
class Facts:
    """An exception as Lua sees it; `origin` finds the exception again."""

    kind: str
    message: str
    retryable: int
    details: Any
    stack: str
    origin: int


class Failures:
    """The exceptions that a worker's program was told of in one call, the last few of them."""

    def __init__(self) -> None:
        self._known: dict[int, BaseException] = {}
        self._count = 0

    def facts(self, error: BaseException) -> Facts:
        """What Lua gets to know of an exception."""
        origin = self._remember(error)
        if isinstance(error, WippyError):
            retryable = _YES if error.retryable else _NO
            return Facts(error.kind.value, str(error), retryable, error.details, _stack(error), origin)
        details = {"exception": type(error).__name__}
        message = f"{type(error).__name__}: {error}"
        return Facts(ErrorKind.INTERNAL.value, message, _NO, details, "", origin)

    def _remember(self, error: BaseException) -> int:
        self._count += 1
        self._known[self._count] = error
        self._known.pop(self._count - _REMEMBERED, None)
        return self._count

    def forget(self) -> None:
        """The call is over."""
        self._known.clear()

    def error(self, origin: int, kind: str, message: str, details: Any, retryable: int, stack: str) -> WippyError:
        """The exception for an error object: what it once was, or one of its kind with Lua's stack as its cause."""
        known = self._known.get(origin)
        if isinstance(known, WippyError):
            return known
        error = _of_kind(kind, message, details if isinstance(details, dict) else {"value": details} if details else {})
        if retryable != _UNSAID:
            error.retryable = retryable == _YES
        error.__cause__ = known if known is not None else LuaError(message, traceback=stack) if stack else None
        return error


def _stack(error: WippyError) -> str:
    if isinstance(error, Trap):
        return "\n".join(frame.render() for frame in error.frames)
    told = error if isinstance(error, LuaError) else error.__cause__
    return told.traceback if isinstance(told, LuaError) else ""


def _of_kind(kind: str, message: str, details: dict[str, Any]) -> WippyError:
    if kind == "INVALID" and {"path", "expected", "got"} <= set(details):
        return ValueMismatchError(str(details["path"]), str(details["expected"]), str(details["got"]))
    return _CLASSES.get(kind, WippyError)(message, details=details)
