"""Methods, schemes, authorities, paths and fields: which are well formed, and which are not the guest's to set.

In: texts. Out: checked texts.

Spec: RFC 9110 (tokens, field values), RFC 3986 (authority, path), RFC 9112; `wasi:http/types`.
"""

from __future__ import annotations

import re

from wippywasm.dataclass import dataclass
from wippywasm.values import Variant
from wippywasm.wasi.network.addresses import parse_address
from wippywasm.wasi.network.rules import normal_name

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,1024}\Z")
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*\Z")
_TARGET = re.compile(r"[!$-;=?-Z_a-z~%\[\]|^`{}\"\\<>]*\Z")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,63}\Z")
_PORT = re.compile(r"[0-9]{1,5}\Z")
MAX_TARGET = 32 << 10

METHODS = ("get", "head", "post", "put", "delete", "connect", "options", "trace", "patch")
FORBIDDEN = frozenset(
    {
        "connection",
        "host",
        "http2-settings",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "transfer-encoding",
        "upgrade",
    }
)
"""Fields that belong to a connection and not to a message: a guest neither sets nor sees them."""


@dataclass(frozen=True)
class Authority:
    """Whom a request goes to; `port` is None for the scheme's own."""

    host: str
    port: int | None


def is_token(text: str) -> bool:
    """Whether it can be a field's name or a method."""
    return bool(_TOKEN.match(text))


def is_value(value: bytes) -> bool:
    """Whether it can be a field's value."""
    return bool(_VALUE.match(value))


def is_target(text: str) -> bool:
    """Whether it can be a path with a query, or `*`."""
    if len(text) > MAX_TARGET or not _TARGET.match(text):
        return False
    return text in ("", "*") or text.startswith(("/", "?"))


def is_scheme(scheme: Variant) -> bool:
    """Whether a scheme is well formed."""
    return scheme.case != "other" or bool(_SCHEME.match(scheme.payload))


def method_text(method: Variant) -> str:
    """A method as it is sent."""
    return str(method.payload) if method.case == "other" else method.case.upper()


def method_variant(text: str) -> Variant:
    """A method as a guest gets it."""
    return Variant(text.lower()) if text.lower() in METHODS and text.isupper() else Variant("other", text)


def scheme_variant(text: str) -> Variant:
    """A scheme as a guest gets it."""
    return Variant(text.upper()) if text.lower() in ("http", "https") else Variant("other", text)


def parse_authority(text: str) -> Authority | None:
    """`host`, `host:port`, `[v6]:port`; None for what is none, and for anything with a user in front."""
    host, port = text, ""
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        address = parse_address(host)
        if not closed or address is None or (rest and not rest.startswith(":")):
            return None
        port = rest[1:]
        if rest and not port:
            return None
    elif ":" in text:
        host, _, port = text.partition(":")
        if not port:
            return None
    normal = host if parse_address(host) is not None else normal_name(host) if host.isascii() else None
    if normal is None or (port and not (_PORT.match(port) and 0 < int(port) < 65536)):
        return None
    return Authority(normal, int(port) if port else None)
