"""The arguments of `Wasi`, checked. Streams, mounts and rules of the network are checked where they are opened.

In: arguments. Out: nothing; raises InvalidError for what no program could be given.

Spec: SPEC section 14.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Final

from wippywasm.errors import InvalidError
from wippywasm.wasi.clock_sources import Clock
from wippywasm.wasi.given import MAPPING, TEXT, Kind, instance, is_list, or_none
from wippywasm.wasi.http import HttpLimits
from wippywasm.wasi.network import Network
from wippywasm.wasi.randomness import RandomBytes

WASI_KINDS: Final[Mapping[str, Kind]] = {
    "args": Kind("a sequence of texts", is_list),
    "env": Kind("a mapping or a function", lambda v: v is None or isinstance(v, Mapping) or callable(v)),
    "clock": or_none(instance("a clock such as SystemClock() or FakeClock()", Clock)),
    "random": or_none(instance("a seed or an object with randbytes(n)", int, RandomBytes)),
    "timezone": instance("a tzinfo", datetime.tzinfo),
    "mounts": or_none(MAPPING),
    "network": Kind("a Network or a sequence of rules", lambda v: isinstance(v, Network) or is_list(v)),
    "http": or_none(instance("an HttpLimits", HttpLimits)),
}


def check_args(args: Iterable[str]) -> None:
    """Refuse arguments that no operating system would pass to a program."""
    for i, text in enumerate(args):
        TEXT.require(f"args[{i}]", text)


def check_cwd(cwd: str | None) -> None:
    """Refuse what is no absolute path."""
    if cwd is None:
        return
    TEXT.require("cwd", cwd)
    if not cwd.startswith("/"):
        raise InvalidError(f"cwd must be absolute, not {cwd!r}")


def check_env(where: str, env: Mapping[str, str]) -> None:
    """Refuse variables that no program could be given; `where` is `env`, or what gave them."""
    MAPPING.require(where, env)
    for name, value in env.items():
        TEXT.require(f"a name in {where}", name)
        if not name or "=" in name:
            raise InvalidError(f"{where}: an environment variable can't be called {name!r}")
        TEXT.require(f"{where}[{name!r}]", value)
