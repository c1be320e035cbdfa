"""Lua's global `process`: what a program asks of the processes of its app.

In: ids, pids, names, messages, as plain values. Out: pids, events, messages, as plain values. Spec: SPEC section 9.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn, Protocol

from wippywasm.app.context import Context
from wippywasm.app.lua.host import LuaCaller, Operation
from wippywasm.app.lua_modules.identities import actor_of, named, scope_of
from wippywasm.app.processes.actions import Actions
from wippywasm.app.processes.frames import OPTIONS, Frames
from wippywasm.app.processes.mailbox import size_of
from wippywasm.app.processes.request import Bond, Start
from wippywasm.app.processes.streams import Subscription, to_events, to_inbox, to_topic
from wippywasm.app.processes.upgrades import Upgraded
from wippywasm.app.schema.durations import parse_duration
from wippywasm.app.security import Policies
from wippywasm.errors import InvalidError


class ProcessesOfApp(Protocol):
    """The part of an app that this module speaks to."""

    @property
    def actions(self) -> Actions: ...
    @property
    def frames(self) -> Frames: ...


class App(Protocol):
    """What this module needs of an app."""

    @property
    def processes(self) -> ProcessesOfApp: ...
    @property
    def policies(self) -> Policies: ...


def operations(app: App) -> Mapping[str, Operation]:
    """What the global asks for."""
    asked = _Operations(app)
    signals = ("terminate", "monitor", "unmonitor", "link", "unlink")
    own = ("id", "pid", "get_options", "set_options", "spawn", "exec", "send", "cancel", "check_spawner", "upgrade")
    streams = ("inbox", "events", "listen", "receive", "unlisten")
    names = ("register", "lookup", "unregister")
    return {f"process.{name}": getattr(asked, name) for name in (*own, *signals, *streams, *names)}


class _Operations:
    """One method for each operation; the first argument is the call that asks."""

    def __init__(self, app: App) -> None:
        self._app = app

    @property
    def _processes(self) -> ProcessesOfApp:
        return self._app.processes

    @property
    def _actions(self) -> Actions:
        return self._processes.actions

    def _me(self, caller: LuaCaller) -> str:
        """The pid of who asks; a call of a function gets one when it first needs one."""
        return self._processes.frames.of(caller).pid

    def id(self, caller: LuaCaller) -> str:
        return caller.id

    def pid(self, caller: LuaCaller) -> str:
        return self._me(caller)

    def get_options(self, caller: LuaCaller) -> dict[str, Any]:
        return self._processes.frames.options(caller)

    def set_options(self, caller: LuaCaller, given: Any) -> bool:
        options = named(given, "options")
        for name, value in options.items():
            if name not in OPTIONS:
                raise InvalidError(f"there is no option '{name!s:.80}'", hint=f"there are {' and '.join(OPTIONS)}")
            if not isinstance(value, bool):
                raise InvalidError(f"{name} must be true or false")
        self._processes.frames.set_options(caller, options)
        return True

    def upgrade(self, caller: LuaCaller, id: str | None, seen: Mapping[int, int] | list[int], *args: Any) -> NoReturn:
        """End the program, and go on as `id`, or as what the entry says now. `seen` counts what it has received."""
        member = self._processes.frames.of(caller)
        wanted = member.id if id is None else id
        self._actions.check_upgrade(member.pid, wanted)
        size_of(args)
        for number, count in seen.items() if isinstance(seen, Mapping) else enumerate(seen, 1):
            caller.handles.get(number, Subscription).leave(count)
        raise Upgraded(wanted, args)

    def spawn(self, caller: LuaCaller, bond: int, declared: Any, id: str, host: str, *args: Any) -> str:
        return self._actions.spawn(self._start(caller, id, host, args, Bond(bond), declared or {}))

    async def exec(self, caller: LuaCaller, declared: Any, id: str, host: str, *args: Any) -> Any:
        return await self._actions.exec(self._start(caller, id, host, args, Bond.NONE, declared or {}))

    def _start(
        self, caller: LuaCaller, id: str, host: str, args: Any, bond: Bond, declared: Mapping[str, Any]
    ) -> Start:
        messages = [(m["topic"], _payload(tuple(m["values"]))) for m in declared.get("messages") or ()]
        context = self._declared_context(caller, declared) if declared else Context()
        return Start(id, host, args, self._me(caller), bond, context, declared.get("name"), messages)

    def _declared_context(self, caller: LuaCaller, declared: Mapping[str, Any]) -> Context:
        """What a spawner declares; asked each time, since spawners outlive the calls that they were made in."""
        self._check_declared(caller, declared)
        actor, scope = declared.get("actor"), declared.get("scope")
        return Context(
            None if actor is None else actor_of(actor),
            None if scope is None else scope_of(scope, self._app.policies),
            named(declared.get("values"), "a context"),
        )

    def _check_declared(self, caller: LuaCaller, declared: Mapping[str, Any]) -> None:
        for name in named(declared.get("options"), "options"):
            raise InvalidError(f"processes can't be started with an option '{name:.80}' here")
        if "values" in declared or "options" in declared:
            self._actions.check_context(self._me(caller))
        if "actor" in declared or "scope" in declared:
            self._actions.check_security(self._me(caller))

    def send(self, caller: LuaCaller, destination: str, topic: str, *values: Any) -> bool:
        self._actions.send(self._me(caller), destination, topic, _payload(values))
        return True

    def cancel(self, caller: LuaCaller, destination: str, grace: Any = None, reason: Any = None) -> bool:
        seconds, why = _grace(grace), reason
        if seconds is None and isinstance(grace, str):
            why = grace if reason is None else reason
        self._actions.cancel(self._me(caller), destination, seconds, why if isinstance(why, str) else None)
        return True

    def terminate(self, caller: LuaCaller, destination: str) -> bool:
        self._actions.terminate(self._me(caller), destination)
        return True

    def monitor(self, caller: LuaCaller, destination: str) -> bool:
        self._actions.monitor(self._me(caller), destination)
        return True

    def unmonitor(self, caller: LuaCaller, destination: str) -> bool:
        self._actions.unmonitor(self._me(caller), destination)
        return True

    def link(self, caller: LuaCaller, destination: str) -> bool:
        self._actions.link(self._me(caller), destination)
        return True

    def unlink(self, caller: LuaCaller, destination: str) -> bool:
        self._actions.unlink(self._me(caller), destination)
        return True

    def check_spawner(self, caller: LuaCaller, declared: Mapping[str, Any]) -> bool:
        self._check_declared(caller, declared)
        return True

    # what it is told

    def inbox(self, caller: LuaCaller) -> int:
        return caller.handles.add(to_inbox(self._processes.frames.of(caller).mailbox))

    def events(self, caller: LuaCaller) -> int:
        return caller.handles.add(to_events(self._processes.frames.of(caller).mailbox))

    def listen(self, caller: LuaCaller, topic: str) -> int:
        mailbox = self._processes.frames.of(caller).mailbox
        return caller.handles.add(to_topic(mailbox, topic))

    async def receive(self, caller: LuaCaller, number: int) -> dict[str, Any] | None:
        return await caller.handles.get(number, Subscription).receive()

    async def unlisten(self, caller: LuaCaller, number: int) -> bool:
        await caller.handles.drop(number)
        return True

    # names

    def register(self, caller: LuaCaller, name: str, pid: str | None = None) -> bool:
        self._actions.register(self._me(caller), name, pid)
        return True

    def lookup(self, caller: LuaCaller, name: str) -> str:
        return self._actions.lookup(name)

    def unregister(self, caller: LuaCaller, name: str) -> bool:
        return self._actions.unregister(self._me(caller), name)


def _payload(values: tuple[Any, ...]) -> Any:
    """One value is itself, several are an array. The `nil` of a function that gives `value, nil` is none of them."""
    count = next((i for i in range(len(values), 0, -1) if values[i - 1] is not None), 0)
    return list(values[:count]) if count > 1 else values[0] if count else None


def _grace(given: Any) -> float | None:
    """Seconds: of a number of milliseconds, or of a text such as `5s`; None for anything else."""
    if isinstance(given, bool):
        raise InvalidError("cancel takes milliseconds, a duration such as '5s', or a reason")
    if isinstance(given, int | float):
        if not 0 <= given <= 1e12:
            raise InvalidError(f"{given} is no number of milliseconds to wait")
        return given / 1000
    return parse_duration(given) if isinstance(given, str) else None
