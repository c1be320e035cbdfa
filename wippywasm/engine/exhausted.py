"""The system has no memory map or thread left for a guest: one error for all the ways in which engines say so.

In: what could not be had. Out: `UnavailableError`, with what to do.
"""

from __future__ import annotations

from wippywasm.errors import UnavailableError

_SIGNS = ("Cannot allocate memory", "os error 12", "os error 11", "sigaltstack")
"""In what native code says then, by which all of it is known on Linux and macOS."""


def is_exhausted(message: str) -> bool:
    """Whether native code failed for want of memory maps."""
    return any(sign in message for sign in _SIGNS)


def exhausted(what: str) -> UnavailableError:
    """The error where there is no room for `what`."""
    return UnavailableError(
        f"the system has no room for {what}",
        hint="run fewer guests at a time, or let the process have more memory maps (sysctl vm.max_map_count), "
        "threads (ulimit -u) or address space (ulimit -v)",
    )
