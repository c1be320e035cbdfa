"""What `format` names.

In: a text. Out: whether it is one of those. A format that is not known says nothing of a value.
Spec: JSON Schema 2020-12, validation section 7.3.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import date
from urllib.parse import urlsplit

from wippywasm.app.security.regex import Regex, RegexSyntaxError

_MAX_TEXT = 2048
"""Characters of anything that has a format."""
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_MAILBOX = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?([zZ]|[+-]([01]\d|2[0-3]):[0-5]\d)", re.ASCII)
_DURATION = re.compile(r"P(?:\d+W|(?=.)(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?=.)(?:\d+H)?(?:\d+M)?(?:\d+S)?)?)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_UUID = re.compile(r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}")
_POINTER = re.compile(r"(?:/(?:[^~/]|~[01])*)*")
_URI = re.compile(r"(?:[!#$&-;=?-Z_a-z~\[\]]|%[0-9A-Fa-f]{2})*")


def _date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _date_time(text: str) -> bool:
    return len(text) > 10 and text[10] in "Tt" and _date(text[:10]) and _TIME.fullmatch(text[11:]) is not None


def _hostname(text: str) -> bool:
    return len(text) <= 253 and _HOST.fullmatch(text) is not None


def _email(text: str) -> bool:
    mailbox, at, host = text.rpartition("@")
    return bool(at) and len(mailbox) <= 64 and _MAILBOX.fullmatch(mailbox) is not None and _hostname(host)


def _address(kind: type[ipaddress.IPv4Address] | type[ipaddress.IPv6Address]) -> Callable[[str], bool]:
    def fits(text: str) -> bool:
        try:
            kind(text)
        except ValueError:
            return False
        return "%" not in text

    return fits


def _uri_reference(text: str) -> bool:
    try:
        urlsplit(text)
    except ValueError:
        return False
    return _URI.fullmatch(text) is not None


def _uri(text: str) -> bool:
    return _uri_reference(text) and re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", text) is not None


def _regex(text: str) -> bool:
    try:
        Regex(text)
    except RegexSyntaxError:
        return False
    return True


def _bounded(fits: Callable[[str], bool]) -> Callable[[str], bool]:
    return lambda text: len(text) <= _MAX_TEXT and fits(text)


def _whole(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.fullmatch(text) is not None


FORMATS: Mapping[str, Callable[[str], bool]] = {
    name: _bounded(fits)
    for name, fits in {
        "date": _date,
        "time": _whole(_TIME),
        "date-time": _date_time,
        "duration": _whole(_DURATION),
        "email": _email,
        "hostname": _hostname,
        "ipv4": _address(ipaddress.IPv4Address),
        "ipv6": _address(ipaddress.IPv6Address),
        "uri": _uri,
        "uri-reference": _uri_reference,
        "uuid": _whole(_UUID),
        "json-pointer": _whole(_POINTER),
        "regex": _regex,
    }.items()
}
