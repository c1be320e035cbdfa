"""Requests that a guest makes, and how long they may take.

In: calls of guests. Out: the resources `outgoing-request` and `request-options`.

Spec: `wasi:http/types`.
"""

from __future__ import annotations

from wippywasm.errors import WitError
from wippywasm.values import Variant
from wippywasm.wasi.handles import Handle
from wippywasm.wasi.http.fields import Fields
from wippywasm.wasi.http.messages import OutgoingMessage
from wippywasm.wasi.http.names import is_scheme, is_target, is_token, method_text, parse_authority


class OutgoingRequest(OutgoingMessage):
    """The `outgoing-request` resource; the views of its headers are its children."""

    wrong_length = "HTTP-request-body-size"

    def __init__(self, headers: Fields) -> None:
        super().__init__(headers)
        self._method = Variant("get")
        self._path: str | None = None
        self._scheme: Variant | None = None
        self._authority: str | None = None

    def method(self) -> Variant:
        return self._method

    def set_method(self, method: Variant) -> None:
        _require(is_token(method_text(method)))
        self._method = method

    def path_with_query(self) -> str | None:
        return self._path

    def set_path_with_query(self, path_with_query: str | None) -> None:
        _require(path_with_query is None or is_target(path_with_query))
        self._path = path_with_query

    def scheme(self) -> Variant | None:
        return self._scheme

    def set_scheme(self, scheme: Variant | None) -> None:
        _require(scheme is None or is_scheme(scheme))
        self._scheme = scheme

    def authority(self) -> str | None:
        return self._authority

    def set_authority(self, authority: str | None) -> None:
        _require(authority is None or parse_authority(authority) is not None)
        self._authority = authority


class RequestOptions(Handle):
    """The `request-options` resource; times in nanoseconds."""

    def __init__(self) -> None:
        super().__init__()
        self._connect: int | None = None
        self._first_byte: int | None = None
        self._between_bytes: int | None = None

    def connect_timeout(self) -> int | None:
        return self._connect

    def set_connect_timeout(self, duration: int | None) -> None:
        self._connect = duration

    def first_byte_timeout(self) -> int | None:
        return self._first_byte

    def set_first_byte_timeout(self, duration: int | None) -> None:
        self._first_byte = duration

    def between_bytes_timeout(self) -> int | None:
        return self._between_bytes

    def set_between_bytes_timeout(self, duration: int | None) -> None:
        self._between_bytes = duration


def _require(valid: bool) -> None:
    if not valid:
        raise WitError
