"""What wasmtime works out about a part, once for all its instances: where each import comes from, in native terms.

In: the sources of a part. Out: tuples that `WasmtimeStore.assemble` puts in place, and the shims (`wasmtime_fibers`)
that stand before host functions which may park the guest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from wippywasm.core import CoreFuncType
from wippywasm.engine import wasmtime_capi as capi
from wippywasm.engine.assembly import HostSource, Source
from wippywasm.engine.wasmtime_fibers import begin_type, shim_module
from wippywasm.engine.wasmtime_hosts import Hosts

if TYPE_CHECKING:
    from wippywasm.engine.wasmtime_engine import WasmtimeEngine
    from wippywasm.engine.wasmtime_modules import WasmtimeModule

PreparedSource: TypeAlias = tuple[Any, ...]
"""(number, callback, type, 0, None, code) of a host function; (0, None, None, instance, name, size) of an export."""

NAME = 4
"""Where the name is in that."""


class Imports:
    """Where the imports of one instance lie while it is made; `places` are those of functions, or of whole items."""

    __slots__ = ("_block", "places", "pointer")

    def __init__(self, sources: Sequence[PreparedSource]) -> None:
        self._block = block = capi.Block(capi.EXTERN_SIZE * len(sources))
        self.pointer = block.pointer
        starts = range(block.address, block.address + capi.EXTERN_SIZE * len(sources), capi.EXTERN_SIZE)
        offsets = [capi.EXTERN_OF if source[NAME] is None else 0 for source in sources]
        self.places = [capi.pointer(start + offset) for start, offset in zip(starts, offsets)]


class ImportsPool:
    """Those of one part: each serves one instance after another, as its pointers cost more than the memory."""

    def __init__(self, sources: Sequence[PreparedSource]) -> None:
        self._sources = sources
        self._free: list[Imports] = []

    def take(self) -> Imports:
        """One that no thread uses now."""
        try:
            return self._free.pop()
        except IndexError:
            return Imports(self._sources)

    def give_back(self, imports: Imports) -> None:
        self._free.append(imports)


class Shims:
    """The shims of one part: their module, and the host's halves of the functions behind them."""

    def __init__(self, engine: WasmtimeEngine, sources: Sequence[HostSource]) -> None:
        self.types = tuple(source.type for source in sources)
        self.module: WasmtimeModule = engine.compile_own(shim_module(self.types))
        self.begins = [_host(engine.hosts, source.number, begin_type(source.type), waits=True) for source in sources]


class PreparedPart:
    """The sources of a part; those behind shims are exports of the instance that comes last, that of the shims."""

    def __init__(self, engine: WasmtimeEngine, sources: Sequence[Source], instances: Sequence[Any]) -> None:
        waiting = [s for s in dict.fromkeys(sources) if isinstance(s, HostSource) and s.waits]
        self.shims = Shims(engine, waiting) if waiting else None
        self.sources = [self._prepare(engine.hosts, source, waiting, instances) for source in sources]
        self.imports = ImportsPool(self.sources)

    def _prepare(
        self, hosts: Hosts, source: Source, waiting: Sequence[HostSource], instances: Sequence[Any]
    ) -> PreparedSource:
        if not isinstance(source, HostSource):
            return _export(source.instance, instances[source.instance].lookups[source.name])
        if self.shims is not None and source.waits:
            return _export(-1, self.shims.module.lookups[str(waiting.index(source))])
        return _host(hosts, source.number, source.type, waits=False)


def _host(hosts: Hosts, number: int, type: CoreFuncType, *, waits: bool) -> PreparedSource:
    code = hosts.code(type, waits)
    return number, code.callback, code.type, 0, None, code  # the last keeps alive what the others point at


def _export(instance: int, lookup: tuple[bytes, Any, Any]) -> PreparedSource:
    name, size, _ = lookup
    return 0, None, None, instance, name, size
