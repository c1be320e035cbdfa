"""What wasmtime works out about a part, once for all its instances: where each import comes from, in native terms.

In: the sources of a part. Out: columns that `WasmtimeStore.assemble` puts in place, and the shims (`wasmtime_fibers`)
that stand before host functions which may park the guest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from wippywasm.engine import wasmtime_capi as capi
from wippywasm.engine.assembly import HostSource, Source
from wippywasm.engine.wasmtime_hosts import HostCode
from wippywasm.engine.wasmtime_modules import Lookup
from wippywasm.engine.wasmtime_shims import begin_type, shim_module

if TYPE_CHECKING:
    from wippywasm.engine.wasmtime_engine import WasmtimeEngine
    from wippywasm.engine.wasmtime_modules import WasmtimeModule

Host: TypeAlias = tuple[int, int, HostCode]
"""A host function: where it is imported, its number and its code."""
Export: TypeAlias = tuple[int, int, Lookup]
"""An export: where it is imported, the instance that has it, and what it is asked for by."""


class Sources:
    """Where the imports of a part come from, in columns: they are put into place by loops that are not Python's."""

    __slots__ = (
        "at_exports",
        "at_hosts",
        "callbacks",
        "codes",
        "count",
        "instances",
        "names",
        "numbers",
        "sizes",
        "types",
    )

    def __init__(self, hosts: Sequence[Host], exports: Sequence[Export]) -> None:
        self.count = len(hosts) + len(exports)
        self.at_hosts = [at for at, _, _ in hosts]
        self.numbers = [number for _, number, _ in hosts]
        self.codes = [code for _, _, code in hosts]
        self.types = [code.type for code in self.codes]
        self.callbacks = [code.callback for code in self.codes]
        self.at_exports = [at for at, _, _ in exports]
        self.instances = [instance for _, instance, _ in exports]
        self.names = [lookup.name for _, _, lookup in exports]
        self.sizes = [lookup.size for _, _, lookup in exports]


class Imports:
    """Where the imports of one instance lie while it is made: `hosts` are places of functions, `exports` of items."""

    __slots__ = ("_block", "_env", "_envs", "_numbers", "exports", "hosts", "pointer")

    def __init__(self, sources: Sources) -> None:
        self._numbers = sources.numbers
        self._env = 0
        self._envs: list[Any] = []
        self._block = block = capi.block(capi.EXTERN_SIZE * sources.count)
        self.pointer = block.pointer
        start, size = block.address, capi.EXTERN_SIZE
        self.hosts = [capi.pointer(start + at * size + capi.EXTERN_OF) for at in sources.at_hosts]
        self.exports = [capi.pointer(start + at * size) for at in sources.at_exports]

    def envs(self, env: int) -> list[Any]:
        """The `env` of each host function, for the store whose function 0 has that one."""
        if env != self._env:
            self._envs = [capi.pointer(env + number) for number in self._numbers]
            self._env = env
        return self._envs


class Shims:
    """The shims of one part: their module, and the host's halves of the functions behind them."""

    def __init__(self, engine: WasmtimeEngine, sources: Sequence[HostSource]) -> None:
        self.types = tuple(source.type for source in sources)
        self.module: WasmtimeModule = engine.compile_own(shim_module(self.types))
        codes = [engine.hosts.code(begin_type(source.type), waits=True) for source in sources]
        self.begins = Sources([(at, s.number, code) for at, (s, code) in enumerate(zip(sources, codes))], [])


class PreparedPart:
    """The sources of a part; those behind shims are exports of the instance that comes last, that of the shims."""

    __slots__ = ("_free", "count", "shims", "sources")

    def __init__(self, engine: WasmtimeEngine, sources: Sequence[Source], instances: Sequence[Any]) -> None:
        waiting = [s for s in dict.fromkeys(sources) if isinstance(s, HostSource) and s.waits]
        self.shims = Shims(engine, waiting) if waiting else None
        hosts: list[Host] = []
        exports: list[Export] = []
        for at, source in enumerate(sources):
            if not isinstance(source, HostSource):
                exports.append((at, source.instance, instances[source.instance].lookups[source.name]))
            elif self.shims is not None and source.waits:
                exports.append((at, -1, self.shims.module.lookups[str(waiting.index(source))]))
            else:
                hosts.append((at, source.number, engine.hosts.code(source.type, waits=False)))
        self.sources = Sources(hosts, exports)
        self.count = self.sources.count
        self._free: list[Imports] = []

    def take(self) -> Imports:
        """A place for imports that no thread uses now.

        Each serves one instance after another, as its pointers cost more than the memory.
        """
        try:
            return self._free.pop()
        except IndexError:
            return Imports(self.sources)

    def give_back(self, imports: Imports) -> None:
        """The other end of `take`."""
        self._free.append(imports)
