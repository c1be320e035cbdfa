"""`wasi:clocks`: the time, and pollables that become ready at a time.

In: a `Clock`. Out: the interfaces.

Spec: `wasi:clocks/monotonic-clock`, `wall-clock`, `timezone`.
"""

from __future__ import annotations

import datetime
from typing import Any

from wippywasm.instance.offered import HostInterface
from wippywasm.wasi.clock_sources import Clock
from wippywasm.wasi.pollables import Pollable
from wippywasm.wasi.waitables import Timer

_MAX_U64 = (1 << 64) - 1
_BILLION = 10**9


class MonotonicClock(HostInterface):
    """`wasi:clocks/monotonic-clock`."""

    wit = "wasi:clocks/monotonic-clock"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> int:
        return self._clock.monotonic()

    def resolution(self) -> int:
        return self._clock.resolution

    def subscribe_instant(self, when: int) -> Pollable:
        return Pollable(Timer(self._clock, when))

    def subscribe_duration(self, when: int) -> Pollable:
        return Pollable(Timer(self._clock, min(self._clock.monotonic() + when, _MAX_U64)))


class WallClock(HostInterface):
    """`wasi:clocks/wall-clock`."""

    wit = "wasi:clocks/wall-clock"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> dict[str, int]:
        return to_datetime(self._clock.wall())

    def resolution(self) -> dict[str, int]:
        return to_datetime(self._clock.resolution)


def to_datetime(nanoseconds: int) -> dict[str, int]:
    """Nanoseconds since 1970 as WASI's `datetime`; what was before is 1970."""
    seconds, rest = divmod(max(nanoseconds, 0), _BILLION)
    return {"seconds": seconds, "nanoseconds": rest}


class Timezone(HostInterface):
    """`wasi:clocks/timezone`: moments that the zone has no word for are shown in UTC."""

    wit = "wasi:clocks/timezone"

    def __init__(self, zone: datetime.tzinfo) -> None:
        self._zone = zone

    def display(self, when: dict[str, int]) -> dict[str, Any]:
        shown = self._shown(when)
        return {
            "utc-offset": _seconds(shown.utcoffset()),
            "name": shown.tzname() or "UTC",
            "in-daylight-saving-time": bool(shown.dst()),
        }

    def utc_offset(self, when: dict[str, int]) -> int:
        return _seconds(self._shown(when).utcoffset())

    def _shown(self, when: dict[str, int]) -> datetime.datetime:
        try:
            return datetime.datetime.fromtimestamp(when["seconds"], self._zone)
        except (OverflowError, OSError, ValueError):
            return datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def _seconds(offset: datetime.timedelta | None) -> int:
    return 0 if offset is None else int(offset.total_seconds())
