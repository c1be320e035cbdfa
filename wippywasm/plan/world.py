"""What a core module says about itself in WIT: the functions and resources behind its mangled names.

In: the signatures of its `wit:` field and the module's imports. Out: `CoreWorld`: functions and resources by interface,
under the names that the module uses; or, without signatures, the obvious type of a function of plain numbers.

Spec: `WIT.md` (worlds); naming as in `mangle`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from wippywasm.core import CoreFuncType, CoreImport, CoreValType
from wippywasm.dataclass import dataclass
from wippywasm.model import F32, F64, S32, S64, FuncType, Param, Prim, ResourceType
from wippywasm.plan import mangle
from wippywasm.plan.substitute import resources_in

if TYPE_CHECKING:
    from wippywasm.wit import Signatures


@dataclass(frozen=True, eq=False)
class CoreInterface:
    """Functions by full name (`[method]blob.read` included), and the resources that belong here, by name."""

    functions: dict[str, FuncType] = field(default_factory=dict)
    resources: dict[str, ResourceType] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class CoreWorld:
    """Imports and exports by interface name; those of the world itself stand under the empty name."""

    imports: Mapping[str, CoreInterface]
    exports: Mapping[str, CoreInterface]


def core_world(signatures: Signatures | None, module_imports: tuple[CoreImport, ...]) -> CoreWorld:
    """The signatures by interface, with the resources that their functions and the module's imports speak of."""
    if signatures is None:
        return CoreWorld({}, {})
    imports: dict[str, CoreInterface] = {}
    for (module, name), ft in signatures.imports.items():
        interface = "" if module == mangle.ROOT else module
        imports.setdefault(interface, CoreInterface()).functions[name] = ft
    exports: dict[str, CoreInterface] = {}
    for key, ft in signatures.exports.items():
        exported, _, name = key.rpartition("#")
        exports.setdefault(exported, CoreInterface()).functions[name] = ft
    _find_resources(exports, set(_builtins(module_imports, exported=True)))
    _find_resources(imports, set(_builtins(module_imports, exported=False)))
    _adopt_rest(imports, exports)
    return CoreWorld(imports, exports)


def _builtins(imports: tuple[CoreImport, ...], *, exported: bool) -> Iterator[tuple[str, str]]:
    """(interface, resource) of every resource built-in that the module imports, of one side."""
    for i in imports:
        builtin = mangle.resource_builtin(i.name)
        if builtin is not None and i.module.startswith(mangle.EXPORTED) == exported:
            module = i.module.removeprefix(mangle.EXPORTED)
            yield "" if module == mangle.ROOT else module, builtin[1]


def _find_resources(side: dict[str, CoreInterface], builtins: set[tuple[str, str]]) -> None:
    """A resource belongs where it has functions of its own, or built-ins; its type is found in what functions take."""
    for interface, content in side.items():
        named = {name for owner, name in builtins if owner == interface}
        named |= {parts[1] for parts in map(mangle.resource_function, content.functions) if parts is not None}
        for ft in content.functions.values():
            content.resources.update({r.name: r for r in resources_in(ft) if r.name in named})


def _adopt_rest(imports: dict[str, CoreInterface], exports: Mapping[str, CoreInterface]) -> None:
    """A resource that belongs nowhere is the host's: of the first interface that imports something with it."""
    known = {r for side in (imports, exports) for content in side.values() for r in content.resources.values()}
    for side in (imports, exports):
        for interface, content in list(side.items()):
            for r in [r for ft in content.functions.values() for r in resources_in(ft) if r not in known]:
                known.add(r)
                home = interface if side is imports else ""
                imports.setdefault(home, CoreInterface()).resources[r.name] = r


_INFERRED: dict[CoreValType, Prim] = {"i32": S32, "i64": S64, "f32": F32, "f64": F64}


def infer(core: CoreFuncType) -> FuncType | None:
    """The signature of a core function of plain numbers (signed integers), or None where it has another kind."""
    if len(core.results) > 1 or not {*core.params, *core.results} <= _INFERRED.keys():
        return None
    params = tuple(Param(f"p{i}", _INFERRED[t]) for i, t in enumerate(core.params))
    return FuncType(params, _INFERRED[core.results[0]] if core.results else None)


def why_not_inferred(core: CoreFuncType) -> str:
    """What of a core function's type keeps it from having an obvious signature."""
    odd = [t for t in dict.fromkeys((*core.params, *core.results)) if t not in _INFERRED]
    if odd:
        return f"values of type {' and '.join(odd)} have no form outside of core wasm"
    return f"a function has at most one result, and this one has {len(core.results)}"
