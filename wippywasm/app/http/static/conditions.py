"""Conditions and ranges of requests for files.

In: a file's tag, time and size; fields of a request. Out: whether it is sent, and which part.
Spec: RFC 9110 sections 13 and 14.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timezone
from email.utils import formatdate, parsedate_to_datetime

from wippywasm.dataclass import dataclass

_RANGE = re.compile(r"bytes=\s*([0-9]{0,18})-([0-9]{0,18})\s*\Z", re.IGNORECASE)


@dataclass(frozen=True)
class Facts:
    """What is known of a file: `modified` in nanoseconds since 1970."""

    size: int
    modified: int

    @property
    def tag(self) -> str:
        return f'"{self.modified:x}-{self.size:x}"'

    @property
    def time(self) -> str:
        return formatdate(self.modified // 10**9, usegmt=True)


def precondition(fields: Mapping[str, str], facts: Facts) -> int | None:
    """304 or 412 where a condition of the request says so, else None."""
    if "If-Match" in fields:
        if not _has_tag(fields["If-Match"], facts.tag, weak=False):
            return 412
    elif _older(fields.get("If-Unmodified-Since"), facts) is True:
        return 412
    if "If-None-Match" in fields:
        return 304 if _has_tag(fields["If-None-Match"], facts.tag, weak=True) else None
    return 304 if _older(fields.get("If-Modified-Since"), facts) is False else None


def wanted_range(fields: Mapping[str, str], facts: Facts) -> range | None:
    """The bytes that are asked for, an empty range where there are none such; None for the whole file.

    One range is served; for several, or one that is not well formed, it is the whole.
    """
    found = _RANGE.match(fields.get("Range", ""))
    if found is None or not (found[1] or found[2]) or not _same(fields.get("If-Range"), facts):
        return None
    if not found[1]:
        return range(max(facts.size - int(found[2]), 0), facts.size)
    first = int(found[1])
    last = int(found[2]) if found[2] else facts.size - 1
    return None if found[2] and last < first else range(first, min(last + 1, facts.size))


def _same(condition: str | None, facts: Facts) -> bool:
    return condition is None or condition in (facts.tag, facts.time)


def _has_tag(field: str, tag: str, *, weak: bool) -> bool:
    tags = [part.strip() for part in field.split(",")]
    return "*" in tags or tag in ([t.removeprefix("W/") for t in tags] if weak else tags)


def _older(date: str | None, facts: Facts) -> bool | None:
    """Whether a date is before the file's; None where it is no date."""
    if date is None:
        return None
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment.replace(tzinfo=moment.tzinfo or timezone.utc).timestamp() < facts.modified // 10**9
