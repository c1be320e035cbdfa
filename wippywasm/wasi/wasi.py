"""What a guest finds around it, as one object, and the interfaces that it is granted.

In: arguments, environment, streams, clocks, random. Out: what goes to `component.instantiate(imports=…)`.

Spec: SPEC sections 7 and 14.
"""

from __future__ import annotations

import copy
import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType, TracebackType
from typing import TypeAlias

from wippywasm.instance.grants import PREVIEW_1, grants
from wippywasm.instance.names import compatibility, split_version
from wippywasm.instance.offered import HostInterface, offered_types
from wippywasm.wasi import clocks, command_line, randomness
from wippywasm.wasi.arguments import WASI_KINDS, check_args, check_cwd, check_env
from wippywasm.wasi.clock_sources import Clock, SystemClock
from wippywasm.wasi.filesystem import Mounts, MountSource
from wippywasm.wasi.filesystem.interfaces import FilesystemTypes, Preopens
from wippywasm.wasi.given import check
from wippywasm.wasi.http import HttpLimits, http_interfaces
from wippywasm.wasi.network import Network
from wippywasm.wasi.pollables import Poll
from wippywasm.wasi.preview1 import Preview1
from wippywasm.wasi.randomness import RandomBytes, random_source
from wippywasm.wasi.sockets import socket_interfaces
from wippywasm.wasi.stdio import Input, Output, open_input, open_output
from wippywasm.wasi.stream_errors import Error
from wippywasm.wasi.streams import Streams

Variables: TypeAlias = Mapping[str, str] | Callable[[], Mapping[str, str]]
"""Environment variables, or a function that gives them whenever a guest asks."""


class Wasi:
    """The world of one guest, or of several that share it.

    `args` start with the program's name, `env` is a mapping or a function that gives one. `stdin`, `stdout` and
    `stderr` are as `stdio.Input` and `stdio.Output` say; by default there is nothing to read, and output goes to the
    process's own. `clock` and `random` (a seed, or an object with `randbytes`) are the system's unless given;
    `timezone` is UTC. `mounts` has what `filesystem.MountSource` says by absolute guest paths. `network` is what may be
    reached: a `Network`, or the rules of one; nothing by default. `http` bounds HTTP messages. Raises InvalidError for
    what is of another kind, texts that no program could have been given, what can't be mounted, and what is no rule.
    """

    def __init__(
        self,
        *,
        args: Sequence[str] = (),
        env: Variables | None = None,
        cwd: str | None = None,
        stdin: Input = None,
        stdout: Output = "inherit",
        stderr: Output = "inherit",
        clock: Clock | None = None,
        random: RandomBytes | int | None = None,
        timezone: datetime.tzinfo = datetime.timezone.utc,
        mounts: Mapping[str, MountSource] | None = None,
        network: Network | Iterable[str] = (),
        http: HttpLimits | None = None,
    ) -> None:
        given = {"args": args, "env": env, "clock": clock, "random": random, "timezone": timezone, "mounts": mounts}
        check(WASI_KINDS, {**given, "network": network, "http": http})
        self.args = tuple(args)
        check_args(self.args)
        self._env = env if callable(env) else MappingProxyType(dict(env or {}))
        if not callable(self._env):
            check_env("env", self._env)
        self.cwd = cwd
        check_cwd(cwd)
        self.stdin = open_input(stdin)
        self.stdout = open_output(stdout, "stdout")
        self.stderr = open_output(stderr, "stderr")
        self.clock = clock or SystemClock()
        self.random = random_source(random)
        self.timezone = timezone
        self.mounts = Mounts(mounts or {})
        self.http = http or HttpLimits()
        self.network = network if isinstance(network, Network) else Network(network)
        self.interfaces: tuple[HostInterface, ...] = tuple(_interfaces(self))

    def environment(self) -> list[tuple[str, str]]:
        """The variables, as a guest gets them now; raises what the function raises that gives them, and
        InvalidError for what are no variables."""
        if not callable(self._env):
            return list(self._env.items())
        env = self._env()
        check_env("env()", env)
        return list(env.items())

    def imports(self, grant: Iterable[str] | None = None) -> dict[str, object]:
        """The hosts for what is granted, by names of imports; all of them for None.

        An entry names a package, an interface, or a profile of SPEC section 7, perhaps with the one version that it
        grants. What it names and is none of ours is left to others.
        """
        entries = list(ALL if grant is None else grant)
        found: dict[str, object] = {}
        for interface in self.interfaces:
            found.update(granted(interface, entries))
        if any(grants(entry, PREVIEW_1_MODULE) for entry in entries):
            found[PREVIEW_1_MODULE] = Preview1(self)
        return found

    @property
    def written(self) -> bool:
        """Whether all output has reached those who get it."""
        return self.stdout.sink.is_ready() and self.stderr.sink.is_ready()

    async def drain(self) -> None:
        """Until all output has reached those who get it."""
        for stream in (self.stdout, self.stderr):
            while not stream.sink.is_ready():
                await stream.sink.ready()

    def close(self) -> None:
        """Let go of the mounts; guests keep what they have open."""
        self.mounts.close()

    def __enter__(self) -> Wasi:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


PREVIEW_1_MODULE = "wasi_snapshot_preview1"
ALL = (
    "wasi:io",
    "wasi:clocks",
    "wasi:cli",
    "wasi:filesystem",
    "wasi:random",
    "wasi:sockets",
    "wasi:http",
    *PREVIEW_1[:1],
)


def granted(interface: HostInterface, entries: Iterable[str]) -> dict[str, HostInterface]:
    """The interface, where entries grant it: under its shipped version, which stands for all compatible ones, or under
    those that are named.
    """
    version = offered_types()[interface.wit].version
    named = {split_version(entry)[1] for entry in entries if grants(entry, interface.wit)}
    if "" in named:
        return {f"{interface.wit}@{version}": interface}
    return {f"{interface.wit}@{v}": _only(interface, v) for v in named if compatibility(v) == compatibility(version)}


def _only(interface: HostInterface, version: str) -> HostInterface:
    limited = copy.copy(interface)
    limited.only = version
    return limited


def _interfaces(wasi: Wasi) -> Iterator[HostInterface]:
    yield from (Error(), Poll(), Streams())
    yield clocks.MonotonicClock(wasi.clock)
    yield clocks.WallClock(wasi.clock)
    yield clocks.Timezone(wasi.timezone)
    yield randomness.Random(wasi.random)
    yield randomness.Insecure(wasi.random)
    yield randomness.InsecureSeed(wasi.random)
    yield FilesystemTypes()
    yield Preopens(wasi.mounts)
    yield from socket_interfaces(wasi.network)
    yield from http_interfaces(wasi.network, wasi.http)
    yield command_line.Environment(wasi.args, wasi.environment, wasi.cwd)
    yield command_line.Exit()
    yield command_line.Stdin(wasi.stdin)
    yield command_line.Stdout(wasi.stdout)
    yield command_line.Stderr(wasi.stderr)
    yield command_line.TerminalInput()
    yield command_line.TerminalOutput()
    yield command_line.TerminalStdin(wasi.stdin)
    yield command_line.TerminalStdout(wasi.stdout)
    yield command_line.TerminalStderr(wasi.stderr)
