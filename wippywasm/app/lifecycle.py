"""How what runs for long is started, stopped and started again: the `lifecycle` of entries.

In: entries. Out: settings with their defaults; the order in which services start. Spec: SPEC section 9.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from wippywasm.app.entry import Entry
from wippywasm.dataclass import dataclass

_HUGE = 700.0
"""The logarithm of what a float can just hold."""


@dataclass(frozen=True)
class Restart:
    """Exponential back-off: times in seconds, `jitter` a share of the delay, `max_attempts` in a row, 0 for no end."""

    initial_delay: float = 1.0
    max_delay: float = 90.0
    backoff_factor: float = 2.0
    jitter: float = 0.1
    max_attempts: int = 0

    def delay(self, attempt: int, random: Callable[[], float]) -> float:
        """Seconds before an attempt, counted from 1; `random` gives numbers from 0 to 1."""
        is_huge = (attempt - 1) * math.log(self.backoff_factor) > _HUGE
        power = math.exp(_HUGE) if is_huge else self.backoff_factor ** (attempt - 1)
        base = min(self.initial_delay * power, self.max_delay)
        return base * (1 + self.jitter * (2 * random() - 1))

    def allows(self, attempt: int) -> bool:
        """Whether there is such an attempt, counted from 1."""
        return self.max_attempts == 0 or attempt <= self.max_attempts


@dataclass(frozen=True)
class Lifecycle:
    """Times in seconds. `requires` are services that run before this one. What has run for `stable_threshold` counts as
    well, so that its next failure is the first. The app starts without an `is_optional` one.
    """

    auto_start: bool = False
    is_optional: bool = False
    start_timeout: float = 10.0
    stop_timeout: float = 10.0
    stable_threshold: float = 5.0
    requires: tuple[str, ...] = ()
    restart: Restart = Restart()


def lifecycle_of(entry: Entry) -> Lifecycle:
    """The lifecycle that an entry describes."""
    data: dict[str, Any] = dict(entry.data.get("lifecycle") or {})
    requires = (*data.pop("requires", ()), *data.pop("depends_on", ()))
    restart = Restart(**(data.pop("restart", None) or {}))
    is_optional = data.pop("startup", "required") == "optional"
    data.pop("security", None)
    return Lifecycle(**data, is_optional=is_optional, requires=tuple(dict.fromkeys(requires)), restart=restart)


def in_start_order(wanted: Iterable[str], lifecycles: Mapping[str, Lifecycle]) -> list[str]:
    """The services in `wanted` and all that they require, each after what it requires; nothing goes in circles."""
    order: dict[str, None] = {}
    todo = [(id, False) for id in reversed(list(wanted))]
    while todo:
        id, is_entered = todo.pop()
        if is_entered:
            order[id] = None
        elif id in lifecycles and id not in order:
            todo.append((id, True))
            todo += [(other, False) for other in reversed(lifecycles[id].requires)]
    return list(order)
