"""What people give to `Wasi`, checked before any guest meets it.

In: arguments of `Wasi`. Out: nothing; raises InvalidError for what no program could be given. Streams, mounts and
rules of the network are checked where they are opened.

Spec: SPEC section 14.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from wippywasm.errors import InvalidError
from wippywasm.wasi.clock_sources import Clock
from wippywasm.wasi.http import HttpLimits
from wippywasm.wasi.network import Network
from wippywasm.wasi.randomness import RandomBytes


def check_kinds(given: Mapping[str, object]) -> None:
    """Refuse arguments of another kind than theirs; for most, None stands for what is usual."""
    for name, value in given.items():
        expected, fits = _KINDS[name]
        if not fits(value) and (value is not None or name in _NEVER_NONE):
            raise InvalidError(f"{name} must be {expected}, not {type(value).__name__}")


def check_texts(args: Iterable[str], env: Mapping[str, str], cwd: str | None) -> None:
    """Refuse arguments, variables and a directory that no operating system would pass to a program."""
    for text in (*args, *env, *env.values(), *([] if cwd is None else [cwd])):
        if not isinstance(text, str) or "\0" in text:
            raise InvalidError(f"arguments, variables and cwd are texts without NUL, not {text!r}")
    for name in env:
        if not name or "=" in name:
            raise InvalidError(f"an environment variable can't be called {name!r}")
    if cwd is not None and not cwd.startswith("/"):
        raise InvalidError(f"cwd must be absolute, not {cwd!r}")


def _is_list(value: object) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, str | bytes)


_KINDS: Final[Mapping[str, tuple[str, Callable[[object], bool]]]] = {
    "args": ("a sequence of texts", _is_list),
    "env": ("a mapping or a function", lambda v: isinstance(v, Mapping) or callable(v)),
    "clock": ("a clock such as SystemClock() or FakeClock()", lambda v: isinstance(v, Clock)),
    "random": ("a seed or an object with randbytes(n)", lambda v: isinstance(v, int | RandomBytes)),
    "timezone": ("a tzinfo", lambda v: isinstance(v, datetime.tzinfo)),
    "network": ("a Network or a sequence of rules", lambda v: isinstance(v, Network) or _is_list(v)),
    "mounts": ("a mapping", lambda v: isinstance(v, Mapping)),
    "http": ("an HttpLimits", lambda v: isinstance(v, HttpLimits)),
}
"""What each is said to be, and whether a value is one."""
_NEVER_NONE: Final = {"args", "timezone", "network"}
