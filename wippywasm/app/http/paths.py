"""Paths of requests and patterns of endpoints, both as segments.

In: the target of a request, or the text of a pattern. Out: segments, or what is wrong.

A path is taken apart at its slashes first, and each segment is percent-decoded after, so an encoded slash is a letter
of its segment and never a border. `.` and `..` are refused rather than resolved: browsers and clients resolve them
before they send, so what arrives is an attempt. One slash at the end makes no difference.

Spec: SPEC section 12; RFC 3986 and RFC 9112 for targets.
"""

from __future__ import annotations

import re
from typing import TypeAlias
from urllib.parse import unquote_to_bytes

from wippywasm.dataclass import dataclass

_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_UNFIT = re.compile(r"[\x00-\x20\x7f?#]")


class PathError(ValueError):
    """A path or pattern that is none; the message says why."""


@dataclass(frozen=True)
class Param:
    """A segment that may be anything but nothing."""

    name: str


@dataclass(frozen=True)
class Rest:
    """All the segments that are left, none too."""

    name: str


Segment: TypeAlias = str | Param | Rest


@dataclass(frozen=True)
class Pattern:
    """What an endpoint is found by. Two of one `shape` match the same paths."""

    text: str
    segments: tuple[Segment, ...]

    @property
    def shape(self) -> tuple[str | type, ...]:
        return tuple(s if isinstance(s, str) else type(s) for s in self.segments)


@dataclass(frozen=True)
class Target:
    """Where a request goes: decoded segments; `path` is as it was sent, `slash` whether it ends in a slash."""

    path: str
    segments: tuple[str, ...]
    slash: bool


def parse_target(raw: str) -> Target:
    """The path of a request target, in origin or absolute form; raises `PathError`."""
    path = raw.partition("#")[0].partition("?")[0]
    if not path.startswith("/"):
        path = _after_authority(path)
    if _PERCENT.search(path):
        raise PathError("a '%' in the path is not followed by two hexadecimal digits")
    segments = [_decode(part) for part in path[1:].split("/")]
    slash = segments[-1] == ""
    return Target(path, tuple(segments[:-1] if slash else segments), slash)


def parse_pattern(text: str) -> Pattern:
    """The pattern of a text such as `/users/{id}/files/{rest...}`; raises `PathError`."""
    parts = split_literal(text)
    segments = tuple(_segment(part) for part in parts)
    names = [s.name for s in segments if not isinstance(s, str)]
    for name in names:
        if names.count(name) > 1:
            raise PathError(f"'{{{name}}}' is there twice")
    if any(isinstance(s, Rest) for s in segments[:-1]):
        raise PathError("'{name...}' takes all that is left, so it must be the last segment")
    return Pattern(text, segments)


def split_literal(text: str) -> tuple[str, ...]:
    """The segments of a path that is written in a definition file; raises `PathError`."""
    if not text.startswith("/"):
        raise PathError(f"a path starts with '/', so '/{text}'")
    unfit = _UNFIT.search(text)
    if unfit:
        raise PathError(f"a path has no {unfit.group()!r}")
    parts = text[1:].split("/")
    parts = parts[:-1] if parts[-1] == "" else parts
    for part in parts:
        if part in ("", ".", ".."):
            raise PathError(f"a path has no {f'{part!r} as a segment' if part else 'empty segment'}")
    return tuple(parts)


def _segment(part: str) -> Segment:
    if "{" not in part and "}" not in part:
        return part
    name = part[1:-1]
    rest = name.endswith("...")
    name = name.removesuffix("...")
    if not (part.startswith("{") and part.endswith("}") and _NAME.fullmatch(name)):
        raise PathError(f"'{part}' is no segment: a parameter is a whole one, '{{name}}' or '{{name...}}'")
    return Rest(name) if rest else Param(name)


def _after_authority(target: str) -> str:
    scheme, mark, rest = target.partition("://")
    if not mark or not scheme.isalpha():
        raise PathError("the target is not a path")
    slash = rest.find("/")
    return "/" if slash < 0 else rest[slash:]


def _decode(part: str) -> str:
    try:
        text = unquote_to_bytes(part.encode("utf-8", "surrogateescape")).decode()
    except UnicodeDecodeError:
        raise PathError("the path is not UTF-8") from None
    if "\0" in text or text in (".", ".."):
        raise PathError("the path has a NUL, '.' or '..'")
    return text
