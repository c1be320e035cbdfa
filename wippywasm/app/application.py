"""An app: its entries, running.

In: the folder of an app. Out: calls by id. `App.load` reads and checks everything and starts nothing; `async with app`
starts the pools and ends them. An app belongs to the event loop that it was started in.
Spec: SPEC sections 2, 6 and 14.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any

from wippywasm.app.check.commands import command_of
from wippywasm.app.context import Handover, current, entered
from wippywasm.app.entry import Entry
from wippywasm.app.env import Environment
from wippywasm.app.env.build import make_files
from wippywasm.app.functions.arity import check_arity
from wippywasm.app.functions.calls import CallCounter
from wippywasm.app.functions.lua_host import AppLuaHost
from wippywasm.app.functions.serving import FunctionPools, naming
from wippywasm.app.http.part import HttpPart
from wippywasm.app.ids import check_id
from wippywasm.app.loading import FUNCTIONS, LoadedApp, load_app
from wippywasm.app.observe import Observers, ObserveSettings
from wippywasm.app.parts import Part, prepare_all
from wippywasm.app.pools import PoolMetrics
from wippywasm.app.pools.cores import bind_thread, usable_cores
from wippywasm.app.processes.part import ProcessPart
from wippywasm.app.programs.folders import make_folder
from wippywasm.app.registry import Registry
from wippywasm.app.registry.difference import changed_ids
from wippywasm.app.security import Guard, Policies, Security, check_given
from wippywasm.app.settings import AppSettings
from wippywasm.app.suggest import did_you_mean_id, listing
from wippywasm.engine import get as get_engine
from wippywasm.errors import InvalidError, NotFoundError, Problem, UnavailableError, with_article
from wippywasm.model import FuncType

_NOTHING = Handover()
_NO_SPAN: AbstractContextManager[None] = nullcontext()


class App:
    """A folder of entries, callable by id: `async with App.load("demo") as app: await app.call("demo:answer")`."""

    def __init__(self, loaded: LoadedApp, overrides: Sequence[str] = ()) -> None:
        self._loaded = loaded
        self._registry = Registry(lambda: self._loaded, overrides, self._install)
        self._security = Security(loaded.entries.values(), strict=loaded.settings.strict)
        self._pools: FunctionPools | None = None
        self._processes: ProcessPart | None = None
        self._observers = Observers(ObserveSettings())
        self._http: HttpPart | None = None
        self._calls = CallCounter()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._cores_before: Collection[int] = ()

    @classmethod
    def load(
        cls,
        directory: str | os.PathLike[str],
        *,
        engine: str | None = None,
        overrides: Sequence[str] = (),
        progress: Callable[[int, int], None] | None = None,
    ) -> App:
        """Read, check and compile the app in `directory`; raises `DefinitionError` with every problem it has.

        Raises `NotFoundError` or `UnavailableError` for an engine that can't be had.

        `engine` names one (`wasmer`, `wasmtime`), `overrides` are `namespace:name:field=value`. `progress` is called
        from time to time with how many modules of how many are compiled.
        """
        return cls(load_app(Path(directory), get_engine(engine), overrides, progress), overrides)

    @property
    def entries(self) -> Mapping[str, Entry]:
        """Every entry by its id, in the order of the files."""
        return self._loaded.entries

    @property
    def registry(self) -> Registry:
        """The entries as they are written, and their changes while the app runs."""
        return self._registry

    @property
    def environment(self) -> Environment:
        """The variables that the app's `env.*` entries define."""
        return self._loaded.environment

    @property
    def settings(self) -> AppSettings:
        """What `.wippy.yaml` says."""
        return self._loaded.settings

    @property
    def folder(self) -> Path:
        return self._loaded.folder

    @property
    def guard(self) -> Guard:
        """Whom everything guarded asks."""
        return self._security.guard

    @property
    def processes(self) -> ProcessPart:
        """The processes of the running app; raises UnavailableError where it does not run."""
        if self._processes is None:
            raise _not_running()
        return self._processes

    @property
    def policies(self) -> Policies:
        """Every `security.policy`, by id and by group."""
        return self._security.policies

    @property
    def security(self) -> Security:
        """Who may do what, and the token stores."""
        return self._security

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What the app's author should know: fields that are accepted and have no effect yet."""
        return self._loaded.warnings

    @property
    def commands(self) -> Mapping[str, Entry]:
        """Every entry with a `meta.command`, by the command's name."""
        named = {command["name"]: e for e in self.entries.values() if (command := command_of(e)) is not None}
        return MappingProxyType(dict(sorted(named.items())))

    @property
    def functions(self) -> tuple[str, ...]:
        """The ids of everything that can be called."""
        return self._loaded.functions

    def signature(self, id: str) -> FuncType | None:
        """The types of a wasm function; None for a Lua function and for an id that names nothing."""
        program = self._loaded.wasm.get(id)
        return program.type if program is not None else None

    @property
    def addresses(self) -> Mapping[str, str]:
        """The URL of every `http.service` that listens, by id."""
        return self._http.addresses if self._http is not None else MappingProxyType({})

    def check_room(self, id: str) -> None:
        """Raise `UnavailableError` where a call would have to wait even for a place in the queue of its pool."""
        if self._pools is not None:
            self._pools.check_room(id)

    @property
    def requests(self) -> Mapping[tuple[str, str], int]:
        """How many requests were served, by HTTP service and status."""
        return self._http.requests if self._http is not None else MappingProxyType({})

    @property
    def observers(self) -> Observers:
        """What shows the app to others: spans, and where the metrics are."""
        return self._observers

    def metrics(self) -> Mapping[str, PoolMetrics]:
        """A snapshot of every function's pool, by id; nothing while the app is not running."""
        return self._pools.metrics() if self._pools is not None else MappingProxyType({})

    async def call(self, id: str, *args: Any) -> Any:
        """Call a function with Python values (SPEC section 5) and return its result.

        Raises `NotFoundError` for an unknown id, `InvalidError` for arguments that do not fit, `WitError` for the
        function's own error, `Trap` and other `WippyError`s for failures (`details["entry"]` is the id of the function
        that failed, where calls nest the innermost), `UnavailableError` when not running, or no
        longer.
        """
        return await self.hand_over(_NOTHING, id, args)

    async def hand_over(self, handover: Handover, id: str, args: Sequence[Any]) -> Any:
        """The same, for a callee that does not inherit everything. Whether it may be called is asked of the caller."""
        pools, loop = self._pools, self._loop
        if pools is not None and loop is not None and loop is not asyncio.get_running_loop():
            return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self.hand_over(handover, id, args), loop))
        self._check_call(id)
        self.check_callable(id)
        if pools is None:
            raise _not_running()
        signature = self.signature(id)
        with naming(id):
            if signature is not None:
                check_arity(id, signature, args)
            caller = current() if handover is _NOTHING else handover.applied(current())
            with self._calls.counted(), entered(self._security.context_of(id, caller)):
                check_given(self.guard, self.entries[id], self.environment)
                with self._span(id):
                    return await pools.call(id, args)

    def _span(self, id: str) -> AbstractContextManager[None]:
        spans = self._observers.spans
        return _NO_SPAN if spans is None else spans.call(id, self.entries[id].kind, current().pid)

    async def start(self) -> None:
        """Make the folders and start the pools; what was started is closed again where one fails."""
        if self._pools is not None:
            raise InvalidError("the app is running already")
        self._calls = CallCounter()
        self._loop = asyncio.get_running_loop()
        self._bind_cores()
        self._observers = Observers(self._loaded.settings.observe)
        host = AppLuaHost(self)
        self._pools = FunctionPools(host)
        self._processes = ProcessPart(host, self._security)
        try:
            await self._install(self._loaded, frozenset(self.entries))
            await self._processes.start()
            await self._serve_http()
            await self._observers.start(self)
        except BaseException:
            await self.close(grace=0)
            raise

    async def _install(self, loaded: LoadedApp, changed: Collection[str] | None = None) -> None:
        """Run by `loaded` from now on; raises where a part of the app refuses, and nothing changes then."""
        if changed is None:
            changed = changed_ids(self._loaded.entries, loaded.entries)
        _make_places(loaded)
        security = self._security.prepare(loaded.entries.values())
        prepared = await prepare_all(self._parts(), loaded, changed)
        self._loaded = loaded
        self._security.commit(security)
        for change in prepared:
            change.commit()

    async def _serve_http(self) -> None:
        """Start what takes requests, last of all."""
        self._http = HttpPart(self, self._security, self._observers.spans)
        change = await self._http.prepare(self._loaded, frozenset(self.entries))
        change.commit()

    def _parts(self) -> Sequence[Part]:
        """What runs, in the order in which it starts; nothing while the app does not."""
        return [part for part in (self._pools, self._processes, self._http) if part is not None]

    def _bind_cores(self) -> None:
        cores = self._loaded.settings.cores
        if cores.reserved:
            self._cores_before = usable_cores()
            bind_thread(cores.others)

    async def close(self, grace: float = 10.0) -> None:
        """End services, requests first, refuse new calls, let those under way end within `grace` seconds, free all.

        Calls that have not ended then are ended, and raise `UnavailableError`.
        """
        if self._http is not None:
            await self._http.close(grace)
            self._http = None
        if self._processes is not None:
            await self._processes.stop(at_once=grace <= 0)
            self._processes = None
        await self._calls.drained(grace)
        await self._calls.cut_off()
        pools, self._pools = self._pools, None
        if self._cores_before:
            bind_thread(self._cores_before)
            self._cores_before = ()
        if pools is not None:
            await pools.close()
        await self._observers.close()

    async def __aenter__(self) -> App:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close(grace=10.0 if error is None else 0.0)

    def check_callable(self, id: str) -> None:
        """Raise `NotFoundError` for an id that names nothing, `InvalidError` for an entry that is no function.

        `InvalidError` for what can't be an id, too.
        """
        self._check_written(id)
        if id not in self.entries:
            raise NotFoundError(f"there is no entry '{id}'", hint=self._near(id))
        kind = self.entries[id].kind
        if kind not in FUNCTIONS:
            raise InvalidError(
                f"'{id}' is {with_article(kind)}, not a function", hint=did_you_mean_id(id, self._shown(self.functions))
            )

    def _check_call(self, id: str) -> None:
        """Ask the guard. The app's own user may call everything, unless they act as somebody."""
        self._check_written(id)
        if _is_guarded():
            self.guard.check("funcs.call", id)

    def _check_written(self, id: Any) -> None:
        """Raise InvalidError for what can't be an id, and say what to write where only the namespace was left out."""
        if id in self.entries:
            return
        whole = [i for i in self._shown(self.functions) if i.endswith(f":{id}")]
        check_id(id, f"an id has its namespace in front: '{whole[0]}'" if whole else None)

    def _near(self, id: str) -> str | None:
        functions = self._shown(self.functions)
        near = did_you_mean_id(id, functions) or did_you_mean_id(id, self._shown(self.entries))
        return near or (f"the functions are {listing(functions)}" if functions else None)

    def _shown(self, ids: Iterable[str]) -> list[str]:
        """Those that whoever asks may call: of others nothing is told."""
        return [id for id in ids if not _is_guarded() or self.guard.shows("funcs.call", id)]


def _is_guarded() -> bool:
    """Whether calls are asked of the policies: not those of the app's own user, unless they act as somebody."""
    context = current()
    return context.entry is not None or context.actor is not None


def _not_running() -> UnavailableError:
    return UnavailableError("the app is not running", hint="use 'async with app'")


def _make_places(loaded: LoadedApp) -> None:
    """The folders and files that entries want to be there."""
    for entry in loaded.entries.values():
        if entry.kind == "fs.directory":
            make_folder(entry, loaded.folder)
    make_files(loaded.entries.values(), loaded.folder)
