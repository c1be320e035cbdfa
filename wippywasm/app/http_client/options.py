"""The options of a request, checked.

In: a table of Lua. Out: `RequestOptions`; raises InvalidError with the option's name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Any

from wippywasm.app.schema.durations import parse_duration
from wippywasm.app.suggest import did_you_mean, listing
from wippywasm.app.words import lua_kind_of
from wippywasm.dataclass import dataclass
from wippywasm.errors import InvalidError
from wippywasm.wasi.http.names import is_token, is_value

MAX_RESPONSE = 32 << 20
TIMEOUT = 30.0


@dataclass(frozen=True)
class File:
    """A file of a form."""

    name: str
    content: bytes
    filename: str
    content_type: str


@dataclass(frozen=True)
class RequestOptions:
    """What a program asks for beside method and URL; `timeout` in seconds, `max_response_body` in bytes."""

    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    form: Mapping[str, str] | None = None
    files: Sequence[File] = ()
    auth: tuple[str, str] | None = None
    timeout: float = TIMEOUT
    stream: bool = False
    max_response_body: int = MAX_RESPONSE
    unix_socket: str | None = None
    tls: Mapping[str, Any] = field(default_factory=dict)


def read_options(given: Any) -> RequestOptions:
    """The options of a table, or of nothing."""
    table = _table(given, "options")
    for name in table:
        if name not in _READ:
            near = did_you_mean(str(name), _READ) or f"the options are {listing(_READ, 20)}"
            raise InvalidError(f"http_client: there is no option '{name!s:.100}'", hint=near)
    options = RequestOptions(**{name: _READ[name](value, name) for name, value in table.items()})
    if options.body is not None and (options.form is not None or options.files):
        raise InvalidError("http_client: a request has a 'body', or 'form' and 'files', not both")
    return options


def _refuse(name: str, expected: str, got: Any) -> InvalidError:
    return InvalidError(f"http_client: {name} must be {expected}, got {lua_kind_of(got)}")


def _table(value: Any, name: str) -> Mapping[Any, Any]:
    if value is None or value == []:
        return {}
    if not isinstance(value, dict):
        raise _refuse(name, "a table of names", value)
    return value


def _text(value: Any, name: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _refuse(name, "text", value)
    return str(value)


def _texts(value: Any, name: str) -> Mapping[str, str]:
    named = {_text(key, name): _text(part, f"{name}.{key}") for key, part in _table(value, name).items()}
    return dict(sorted(named.items()))  # a Lua table has no order of its own


def _headers(value: Any, name: str) -> Mapping[str, str]:
    headers = _texts(value, name)
    for key, text in headers.items():
        if not is_token(key) or not is_value(text.encode()):
            raise InvalidError(f"http_client: {name}.{key!r:.100} is no header that can be sent")
    return headers


def _bytes(value: Any, name: str) -> bytes:
    return value if isinstance(value, bytes) else _text(value, name).encode()


def _files(value: Any, name: str) -> Sequence[File]:
    if not isinstance(value, list):
        raise _refuse(name, "an array of files", value)
    return [_file(_table(part, f"{name}[{i}]"), f"{name}[{i}]") for i, part in enumerate(value, 1)]


def _file(table: Mapping[Any, Any], name: str) -> File:
    if "name" not in table or "content" not in table:
        raise InvalidError(f"http_client: {name} needs 'name' and 'content'")
    field = _text(table["name"], f"{name}.name")
    filename = _text(table.get("filename", field), f"{name}.filename")
    kind = _text(table.get("content_type", "application/octet-stream"), f"{name}.content_type")
    return File(field, _bytes(table["content"], f"{name}.content"), filename, kind)


def _auth(value: Any, name: str) -> tuple[str, str]:
    table = _texts(value, name)
    if "user" not in table or ":" in table["user"]:
        raise InvalidError(f"http_client: {name} is {{user = …, pass = …}}, the user without a ':'")
    return table["user"], table.get("pass", "")


def _seconds(value: Any, name: str) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    seconds = float(value) if is_number else parse_duration(value) if isinstance(value, str) else None
    if seconds is None or not 0 < seconds <= 86_400:
        raise InvalidError(f"http_client: {name} is seconds or a text such as '30s', above 0 and at most a day")
    return seconds


def _size(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise _refuse(name, "a number of bytes", value)
    return value or MAX_RESPONSE


def _flag(value: Any, name: str) -> bool:
    if not isinstance(value, bool):
        raise _refuse(name, "a boolean", value)
    return value


def _tls(value: Any, name: str) -> Mapping[str, Any]:
    table = _table(value, name)
    known = {"cert": _text, "key": _text, "ca": _text, "server_name": _text, "insecure_skip_verify": _flag}
    for key in table:
        if key not in known:
            raise InvalidError(f"http_client: there is no option '{name}.{key}'", hint=did_you_mean(str(key), known))
    read: dict[str, Any] = {key: known[key](part, f"{name}.{key}") for key, part in table.items()}
    if ("cert" in read) != ("key" in read):
        raise InvalidError(f"http_client: {name} needs 'cert' and 'key' together")
    return read


_READ: Mapping[str, Callable[[Any, str], Any]] = {
    "headers": _headers,
    "query": _texts,
    "cookies": _texts,
    "body": _bytes,
    "form": _texts,
    "files": _files,
    "auth": _auth,
    "timeout": _seconds,
    "stream": _flag,
    "max_response_body": _size,
    "unix_socket": _text,
    "tls": _tls,
}
