"""Preview 1: `poll_oneoff`.

In: subscriptions in the guest's memory. Out: events, as soon as there is one.

Spec: WASI preview 1, `poll_oneoff`.
"""

from __future__ import annotations

from wippywasm.instance.waiting import Waiting
from wippywasm.wasi.clock_sources import Clock
from wippywasm.wasi.preview1 import records
from wippywasm.wasi.preview1.codes import ErrnoError
from wippywasm.wasi.preview1.descriptors import Descriptors, File, Input, Output
from wippywasm.wasi.preview1.memory import GuestMemory
from wippywasm.wasi.preview1.process import MONOTONIC, REALTIME
from wippywasm.wasi.preview1.records import EVENT_SIZE, SUBSCRIPTION_SIZE, Subscription
from wippywasm.wasi.waitables import Timer, Waitable, wait_any

MAX_SUBSCRIPTIONS = 1 << 12
_M32 = 0xFFFF_FFFF


class Always:
    """Ready whenever one looks: what is on a disk."""

    def is_ready(self) -> bool:
        return True

    async def ready(self) -> None: ...


class Polling:
    """Waiting for clocks and descriptors."""

    def __init__(self, memory: GuestMemory, descriptors: Descriptors, clock: Clock) -> None:
        self._memory = memory
        self._descriptors = descriptors
        self._clock = clock

    def poll_oneoff(self, subscriptions: int, events: int, count: int, result: int) -> Waiting | None:
        count &= _M32
        if count == 0 or count > MAX_SUBSCRIPTIONS:
            raise ErrnoError("inval")
        events, result = self._memory.check(events, EVENT_SIZE * count, 8), self._memory.check(result, 4, 4)
        asked = self._subscriptions(subscriptions, count)
        waited = [self._waitable(s) for s in asked]

        def finish(_: None) -> None:
            found = [self._event(s) for s, w in zip(asked, waited) if w.is_ready()]
            self._memory.write(events, b"".join(found))
            self._memory.write_u32(result, len(found))

        if not any(w.is_ready() for w in waited):
            return Waiting(_any_of(waited), finish)
        finish(None)
        return None

    def _subscriptions(self, pointer: int, count: int) -> list[Subscription]:
        pointer = self._memory.check(pointer, SUBSCRIPTION_SIZE * count, 8)
        ends = range(pointer, pointer + SUBSCRIPTION_SIZE * count, SUBSCRIPTION_SIZE)
        return [records.subscription(self._memory.read(at, SUBSCRIPTION_SIZE)) for at in ends]

    def _waitable(self, s: Subscription) -> Waitable:
        if s.tag == 0:
            return Timer(self._clock, self._instant(s))
        found = self._descriptors.get(s.fd)
        if isinstance(found, Input) and s.tag == 1:
            return found.stream.source
        if isinstance(found, Output) and s.tag == 2:
            return found.stream.sink
        if isinstance(found, File):
            return Always()
        raise ErrnoError("badf")

    def _instant(self, s: Subscription) -> int:
        """When, in the monotonic clock's time."""
        if s.clock not in (REALTIME, MONOTONIC):
            raise ErrnoError("inval")
        if not s.absolute:
            return self._clock.monotonic() + s.timeout
        if s.clock == MONOTONIC:
            return s.timeout
        return self._clock.monotonic() + s.timeout - self._clock.wall()

    def _event(self, s: Subscription) -> bytes:
        size, hangup = 0, 0
        if s.tag:
            found = self._descriptors.get(s.fd)
            size = 1
            if isinstance(found, File) and s.tag == 1:
                size = max(0, found.descriptor.stat().size - found.position)
                hangup = int(not size)
        return records.event(s.userdata, 0, s.tag, size, hangup)


async def _any_of(waited: list[Waitable]) -> None:
    while not any(w.is_ready() for w in waited):
        await wait_any(waited)
