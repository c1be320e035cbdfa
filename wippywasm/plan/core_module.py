"""From a core module, and what WIT says about it, to a plan of the same kind that a component has.

In: the module's imports and exports, its bytes, its WIT signatures or None. Out: `Plan` with one core instance.

With signatures, imports and exports are found by their mangled names and checked against the core types that their
signatures flatten to. Imports that they don't name stay core functions, for hosts that speak core wasm (preview 1).
Without signatures, exports of plain numbers get the obvious signatures.

Spec: `CanonicalABI.md` (flattening); naming as in `mangle`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from wippywasm import layout
from wippywasm.abi.encodable import unencodable
from wippywasm.abi.needs import needs_of
from wippywasm.binary.core_module import CoreModuleInfo
from wippywasm.core import CoreExternType, CoreFuncType, CoreImport, CoreMemoryType
from wippywasm.errors import InvalidError, LinkError, ValidationError
from wippywasm.model import FuncType, ResourceType
from wippywasm.plan import mangle
from wippywasm.plan.builder import PlanBuilder
from wippywasm.plan.describe import describe_core, describe_func
from wippywasm.plan.items import CoreExportRef, CoreRef, Item, LiftRef, PlanInstance, TrampolineRef
from wippywasm.plan.plan import Plan, PlanModule
from wippywasm.plan.steps import CallCoreFunc, DefineResource, Lift, LowerFunc, PlanOptions, ResourceBuiltin
from wippywasm.plan.world import CoreInterface, CoreWorld, core_world, infer, why_not_inferred

if TYPE_CHECKING:
    from wippywasm.wit import Signatures

MOST_IMPORTS = 12_000
"""How many imports a module may have that is a file of its own; each takes a hundred times its bytes."""
FUNCTIONS, MOST_FUNCTIONS = 5_000, 50_000
"""How many exports are made callable of any module where no signatures choose among them, and of none more."""
BYTES_OF_FUNCTION = 24
"""A larger module may have one more for each so many of its bytes; with its name and code, a function has more."""


def plan_core_module(info: CoreModuleInfo, wasm: bytes | memoryview, signatures: Signatures | None = None) -> Plan:
    """The plan of a core module.

    Raises InvalidError naming every export that is missing or has another core type than its signature needs,
    LinkError for an import that nobody can supply, and ValidationError for more imports than any host has.
    """
    if len(info.imports) > MOST_IMPORTS:
        raise ValidationError(f"the module has {len(info.imports):,} imports, and may have {MOST_IMPORTS:,}", 0)
    planner = _Planner(info, wasm, core_world(signatures, info.imports))
    return planner.plan(inferred=signatures is None)


class _Planner:
    def __init__(self, info: CoreModuleInfo, wasm: bytes | memoryview, world: CoreWorld) -> None:
        self.info = info
        self.wasm = wasm
        self.world = world
        self.builder = PlanBuilder()
        self.exports = info.type.instance
        self.problems: list[str] = []

    def plan(self, *, inferred: bool) -> Plan:
        self.builder.component_instance(None)
        self._import_resources()
        self._define_resources()
        args = map(self._import, self.info.imports)
        self.builder.core_instance(self.builder.add_module(PlanModule(self.wasm, self.info)), args)
        initialize = self._helper(mangle.INITIALIZE, CoreFuncType())
        if initialize is not None:
            self.builder.step(CallCoreFunc(initialize, 0))
        exports = self._inferred_exports() if inferred else self._declared_exports()
        if self.problems:
            raise InvalidError("\n".join(dict.fromkeys(self.problems)))
        return self.builder.finish(self._import_names(), exports, self._uncallable(exports, inferred=inferred))

    def _import_names(self) -> tuple[str, ...]:
        resources = [r.path[0] for r in self.builder.host_resources]
        functions = [f.path[0] for f in self.builder.host_functions]
        return tuple(dict.fromkeys(resources + functions + [i.module for i in self.builder.core_imports]))

    # ---- resources

    def _import_resources(self) -> None:
        for interface, content in self.world.imports.items():
            for name, resource in content.resources.items():
                self.builder.host_resource(_path(interface, name), resource)

    def _define_resources(self) -> None:
        for interface, content in self.world.exports.items():
            for name, resource in content.resources.items():
                dtor = self._helper(mangle.destructor_name(interface, name), CoreFuncType(("i32",)))
                self.builder.step(DefineResource(resource, dtor, 0))

    # ---- imports

    def _import(self, i: CoreImport) -> CoreRef:
        if not isinstance(i.type, CoreFuncType):
            raise LinkError(
                f"the module imports {_kind(i.type)} {i.module!r} {i.name!r}; only functions can be supplied", i.module
            )
        if not self.world.imports and not self.world.exports:
            return self.builder.core_import(i)
        builtin = mangle.resource_builtin(i.name)
        resource = None if builtin is None else self._resource(i.module, builtin[1])
        if builtin is not None and resource is not None:
            return self._resource_builtin(builtin[0], resource)
        interface = "" if i.module == mangle.ROOT else i.module
        ft = self.world.imports.get(interface, CoreInterface()).functions.get(i.name)
        if ft is None:
            return self.builder.core_import(i)
        return self._lower((i.module, i.name), i.type, ft)

    def _resource(self, module: str, name: str) -> ResourceType | None:
        side = self.world.exports if module.startswith(mangle.EXPORTED) else self.world.imports
        module = module.removeprefix(mangle.EXPORTED)
        return side.get("" if module == mangle.ROOT else module, CoreInterface()).resources.get(name)

    def _resource_builtin(self, operation: str, resource: ResourceType) -> TrampolineRef:
        index = self.builder.trampoline()
        self.builder.step(ResourceBuiltin(index, operation, resource, 0))
        return TrampolineRef(index)

    def _lower(self, place: tuple[str, str], have: CoreFuncType, ft: FuncType) -> TrampolineRef:
        module, name = place
        core = layout.flatten_functype(ft, "lower")
        what = f"import {module!r} {name!r}"
        if have != core:
            self._mismatch(what, have, ft, core)
        func = self.builder.host_function(_path("" if module == mangle.ROOT else module, name), ft)
        index = self.builder.trampoline()
        self.builder.step(LowerFunc(index, func, ft, self._options(what, ft, "lower"), 0, core))
        return TrampolineRef(index)

    # ---- exports

    def _declared_exports(self) -> dict[str, Item]:
        exports: dict[str, Item] = {}
        for interface, content in self.world.exports.items():
            found: dict[str, Item] = {n: self._lift(interface, n, ft) for n, ft in content.functions.items()}
            found.update(content.resources)
            if interface:
                exports[interface] = PlanInstance(found)
            else:
                exports.update(found)
        return exports

    def _lift(self, interface: str, name: str, ft: FuncType) -> LiftRef:
        export = mangle.export_name(interface, name)
        core = layout.flatten_functype(ft, "lift")
        have = self.exports.get(export)
        if not isinstance(have, CoreFuncType):
            self._missing(export)
        elif have != core:
            self._mismatch(f"export {export!r}", have, ft, core)
        post_return = self._helper(mangle.post_return_name(export), CoreFuncType(core.results))
        options = self._options(f"export {export!r}", ft, "lift", post_return)
        return self.builder.lift(Lift(CoreExportRef(0, export), ft, options, 0))

    def _inferred_exports(self) -> dict[str, Item]:
        types = dict.fromkeys(t for t in self.exports.values() if isinstance(t, CoreFuncType))
        signatures: dict[object, FuncType | None] = {core: infer(core) for core in types}
        count = sum(signatures.get(core) is not None for core in self.exports.values())
        most = min(FUNCTIONS + len(self.wasm) // BYTES_OF_FUNCTION, MOST_FUNCTIONS)
        if count > most:
            message = f"the module exports {count:,} functions, and of its size may export {most:,}"
            raise InvalidError(message, hint="name those that are called in WIT")
        functions = [(name, ft) for name, core in self.exports.items() if (ft := signatures.get(core)) is not None]
        options = PlanOptions()
        return {n: self.builder.lift(Lift(CoreExportRef(0, n), ft, options, 0)) for n, ft in functions}

    def _options(self, what: str, ft: FuncType, context: str, post_return: CoreRef | None = None) -> PlanOptions:
        """The options of a function, as far as it needs them; `context` is `lift` or `lower`."""
        unfit = unencodable(ft)
        if unfit is not None:
            self.problems.append(f"{what}: {unfit}")
            return PlanOptions()
        needs = needs_of(ft, context)
        in_memory = needs.reads or needs.returned
        has_memory = isinstance(self.exports.get(mangle.MEMORY), CoreMemoryType)
        realloc = self._realloc()
        lacks_realloc = needs.allocates and realloc is None
        if in_memory and not has_memory:
            also = f", nor a {_REALLOC}" * lacks_realloc
            self.problems.append(
                f"{describe_func(ft)} passes values through memory, and the module exports no memory{also}"
            )
        elif lacks_realloc:
            self._missing_realloc(what, ft)
        if context == "lower" and not in_memory:
            return PlanOptions()
        return PlanOptions("utf8", CoreExportRef(0, mangle.MEMORY) if has_memory else None, realloc, post_return)

    def _realloc(self) -> CoreRef | None:
        fitting = [name for name in mangle.REALLOCS if self.exports.get(name) == mangle.REALLOC_TYPE]
        return CoreExportRef(0, fitting[0]) if fitting else None

    def _helper(self, name: str, type: CoreFuncType) -> CoreRef | None:
        """The export that the runtime itself calls by that name, or None; one of another type is a problem."""
        have = self.exports.get(name)
        if have is None:
            return None
        if have != type:
            self.problems.append(f"export {name!r} is {_kind(have)}, but it must be a function {describe_core(type)}")
        return CoreExportRef(0, name)

    def _uncallable(self, exports: Mapping[str, Item], *, inferred: bool) -> dict[str, str]:
        """Why each other function of the module is none that can be called, by its name."""
        functions = {n: t for n, t in self.exports.items() if isinstance(t, CoreFuncType) and n not in exports}
        if not inferred:
            return dict.fromkeys(functions, "it is a core function that the signatures in `wit` do not name")
        return {n: f"its core type is {describe_core(t)}: {why_not_inferred(t)}" for n, t in functions.items()}

    # ---- complaints

    def _missing(self, export: str) -> None:
        functions = [n for n, t in self.exports.items() if isinstance(t, CoreFuncType)]
        from difflib import get_close_matches  # for an error only

        near = get_close_matches(export, functions, 3)
        hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"it exports {_names(functions)}"
        self.problems.append(f"the module does not export a function {export!r}, which its signatures name ({hint})")

    def _missing_realloc(self, what: str, ft: FuncType) -> None:
        name = mangle.REALLOCS[0]
        have = self.exports.get(name)
        lack = "exports none" if have is None else f"its {name!r} is {_kind(have)}"
        self.problems.append(
            f"{what}: {describe_func(ft)} needs an allocator for what it is given, and the module {lack}: "
            f"export a {_REALLOC}"
        )

    def _mismatch(self, what: str, have: CoreFuncType, ft: FuncType, need: CoreFuncType) -> None:
        self.problems.append(
            f"{what} has the core type {describe_core(have)}, but {describe_func(ft)} needs {describe_core(need)}"
        )


_REALLOC = f"{mangle.REALLOCS[0]} of type {describe_core(mangle.REALLOC_TYPE)}"


def _path(interface: str, name: str) -> tuple[str, ...]:
    return (interface, name) if interface else (name,)


def _kind(t: CoreExternType) -> str:
    if isinstance(t, CoreFuncType):
        return f"a function {describe_core(t)}"
    return f"a {type(t).__name__.removeprefix('Core').removesuffix('Type').lower()}"


def _names(names: list[str]) -> str:
    return ", ".join(map(repr, names[:8])) + (" …" if len(names) > 8 else "") if names else "none"
