"""WIT values of `wasi:filesystem/types` and what they are here.

In: one. Out: the other.

Spec: `wasi:filesystem/types`, `wasi:clocks/wall-clock` (`datetime`).
"""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from wippywasm.values import Variant
from wippywasm.wasi.filesystem.codes import FilesystemError
from wippywasm.wasi.filesystem.facts import NewTime, Stat

_BILLION = 10**9


def follows(path_flags: Set[str]) -> bool:
    """Whether a link at the end of a path is followed."""
    return "symlink-follow" in path_flags


def descriptor_stat(stat: Stat) -> dict[str, Any]:
    """The record `descriptor-stat`."""
    return {
        "type": stat.kind,
        "link-count": stat.links,
        "size": stat.size,
        "data-access-timestamp": _datetime(stat.accessed),
        "data-modification-timestamp": _datetime(stat.modified),
        "status-change-timestamp": _datetime(stat.changed),
    }


def _datetime(nanoseconds: int) -> dict[str, int] | None:
    """None for what `datetime` can't say: before 1970."""
    if nanoseconds < 0:
        return None
    seconds, rest = divmod(nanoseconds, _BILLION)
    return {"seconds": seconds, "nanoseconds": rest}


def new_time(value: Variant) -> NewTime:
    """What a `new-timestamp` asks for; raises `invalid` for more than a second's nanoseconds."""
    if value.case == "no-change":
        return None
    if value.case == "now":
        return "now"
    if value.payload["nanoseconds"] >= _BILLION:
        raise FilesystemError("invalid")
    return int(value.payload["seconds"] * _BILLION + value.payload["nanoseconds"])
