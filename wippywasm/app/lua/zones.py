"""Time zones, as Lua's `time` asks for them.

In: a zone by its IANA name ("" is the machine's own), and a moment. Out: the offset from UTC in seconds, and the zone's
short name then. Moments outside the years 1 to 9999 get what holds at the nearest one.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from wippywasm.errors import NotFoundError

_FIRST, _LAST = -62_135_510_400, 253_402_214_400
"""A day inside the years that `datetime` has."""
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def at_instant(name: str, seconds: int) -> tuple[int, str]:
    """What holds at a moment in seconds since 1970 UTC; raises NotFoundError for a zone that is not known."""
    seconds = min(max(seconds, _FIRST), _LAST)
    if not name:
        return _local(seconds)
    return _facts((_EPOCH + timedelta(seconds=seconds)).astimezone(_zone(name)))


def at_wall_clock(name: str, seconds: int) -> tuple[int, str]:
    """What holds where clocks show a time, given as seconds since 1970 by those clocks.

    Of a time that clocks show twice the first is meant.
    """
    seconds = min(max(seconds, _FIRST), _LAST)
    wall = datetime(1970, 1, 1) + timedelta(seconds=seconds)
    if name:
        return _facts(wall.replace(tzinfo=_zone(name)))
    offset, _ = _local(seconds)
    return _local(seconds - _local(seconds - offset)[0])


def _facts(moment: datetime) -> tuple[int, str]:
    offset = moment.utcoffset() or timedelta()
    return int(offset.total_seconds()), moment.tzname() or ""


def _local(seconds: int) -> tuple[int, str]:
    try:
        facts = time.localtime(seconds)
    except (OSError, OverflowError, ValueError):
        facts = time.localtime(0)
    return facts.tm_gmtoff, facts.tm_zone


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise NotFoundError(f"no time zone is named '{name}'", hint="names are as in 'Europe/Berlin'") from None
