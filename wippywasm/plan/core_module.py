"""From a core module, and what WIT says about it, to a plan of the same kind that a component has.

In: the module's imports and exports, its bytes, its WIT signatures or None. Out: `Plan` with one core instance.

With signatures, imports and exports are found by their mangled names and checked against the core types that their
signatures flatten to. Imports that they don't name stay core functions, for hosts that speak core wasm (preview 1).
Without signatures, exports of plain numbers get the obvious signatures.

Spec: `CanonicalABI.md` (flattening); naming as in `mangle`.
"""

from __future__ import annotations

from difflib import get_close_matches

from wippywasm.abi import layout
from wippywasm.abi.shapes import contains, is_allocated
from wippywasm.binary.core_module import CoreModuleInfo
from wippywasm.core import CoreFuncType, CoreImport, CoreMemoryType
from wippywasm.errors import InvalidError, LinkError
from wippywasm.model import FuncType, ResourceType
from wippywasm.plan import mangle
from wippywasm.plan.builder import PlanBuilder
from wippywasm.plan.describe import describe_core, describe_func
from wippywasm.plan.items import CoreExportRef, CoreRef, Item, LiftRef, PlanInstance, TrampolineRef
from wippywasm.plan.plan import Plan
from wippywasm.plan.steps import CallCoreFunc, DefineResource, Lift, LowerFunc, PlanOptions, ResourceBuiltin
from wippywasm.plan.world import CoreInterface, CoreWorld, core_world, infer
from wippywasm.wit import Signatures


def plan_core_module(info: CoreModuleInfo, wasm: bytes | memoryview, signatures: Signatures | None = None) -> Plan:
    """The plan of a core module.

    Raises InvalidError naming every export that is missing or has another core type than its signature needs, and
    LinkError for an import that nobody can supply.
    """
    planner = _Planner(info, wasm, core_world(signatures or Signatures({}), info.imports))
    return planner.plan(inferred=signatures is None)


class _Planner:
    def __init__(self, info: CoreModuleInfo, wasm: bytes | memoryview, world: CoreWorld) -> None:
        self.info = info
        self.wasm = wasm
        self.world = world
        self.builder = PlanBuilder()
        self.exports = {e.name: e.type for e in info.exports}
        self.problems: list[str] = []

    def plan(self, *, inferred: bool) -> Plan:
        self.builder.component_instance(None)
        self._import_resources()
        self._define_resources()
        args = {(i.module, i.name): self._import(i) for i in self.info.imports}
        self.builder.core_instance(self.builder.add_module(self.wasm, self.info.type), args)
        if self.exports.get(mangle.INITIALIZE) == CoreFuncType():
            self.builder.step(CallCoreFunc(CoreExportRef(0, mangle.INITIALIZE), 0))
        exports = self._inferred_exports() if inferred else self._declared_exports()
        if self.problems:
            raise InvalidError("\n".join(self.problems))
        return self.builder.finish(self._import_names(), exports)

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
                dtor = self._optional(mangle.destructor_name(interface, name))
                self.builder.step(DefineResource(resource, dtor, 0))

    # ---- imports

    def _import(self, i: CoreImport) -> CoreRef:
        if not isinstance(i.type, CoreFuncType):
            raise LinkError(
                f"the module imports {_kind(i)} {i.module!r} {i.name!r}; only functions can be supplied", i.module
            )
        builtin = mangle.resource_builtin(i.name)
        resource = None if builtin is None else self._resource(i.module, builtin[1])
        if builtin is not None and resource is not None:
            return self._resource_builtin(builtin[0], resource)
        interface = "" if i.module == mangle.ROOT else i.module
        ft = self.world.imports.get(interface, CoreInterface()).functions.get(i.name)
        if ft is None:
            return self.builder.core_import(i.module, i.name, i.type)
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
        if have != core:
            self._mismatch(f"import {module!r} {name!r}", have, ft, core)
        func = self.builder.host_function(_path("" if module == mangle.ROOT else module, name), ft)
        index = self.builder.trampoline()
        options = self._options(ft) if _needs_memory(ft) else PlanOptions()
        self.builder.step(LowerFunc(index, func, ft, options, 0, core))
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
        options = self._options(ft, self._optional(mangle.post_return_name(export)))
        return self.builder.lift(Lift(CoreExportRef(0, export), ft, options, 0))

    def _inferred_exports(self) -> dict[str, Item]:
        exports: dict[str, Item] = {}
        for name, core in self.exports.items():
            ft = infer(core) if isinstance(core, CoreFuncType) else None
            if ft is not None:
                exports[name] = self.builder.lift(Lift(CoreExportRef(0, name), ft, PlanOptions(), 0))
        return exports

    def _options(self, ft: FuncType, post_return: CoreRef | None = None) -> PlanOptions:
        memory = mangle.MEMORY if isinstance(self.exports.get(mangle.MEMORY), CoreMemoryType) else None
        realloc = next((r for r in map(self._optional, mangle.REALLOCS) if r is not None), None)
        if memory is None and _needs_memory(ft):
            self.problems.append(f"{describe_func(ft)} passes values through memory, and the module exports no memory")
        return PlanOptions("utf8", CoreExportRef(0, memory) if memory else None, realloc, post_return)

    def _optional(self, name: str) -> CoreRef | None:
        return CoreExportRef(0, name) if isinstance(self.exports.get(name), CoreFuncType) else None

    # ---- complaints

    def _missing(self, export: str) -> None:
        functions = [n for n, t in self.exports.items() if isinstance(t, CoreFuncType)]
        near = get_close_matches(export, functions, 3)
        hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"it exports {_names(functions)}"
        self.problems.append(f"the module does not export a function {export!r}, which its signatures name ({hint})")

    def _mismatch(self, what: str, have: CoreFuncType, ft: FuncType, need: CoreFuncType) -> None:
        self.problems.append(
            f"{what} has the core type {describe_core(have)}, but {describe_func(ft)} needs {describe_core(need)}"
        )


def _path(interface: str, name: str) -> tuple[str, ...]:
    return (interface, name) if interface else (name,)


def _needs_memory(ft: FuncType) -> bool:
    types = [p.type for p in ft.params] + ([] if ft.result is None else [ft.result])
    spills = len(layout.flatten_types(tuple(p.type for p in ft.params))) > layout.MAX_FLAT_PARAMS
    wide = ft.result is not None and len(layout.flatten_type(ft.result)) > layout.MAX_FLAT_RESULTS
    return spills or wide or any(contains(t, is_allocated) for t in types)


def _kind(i: CoreImport) -> str:
    return type(i.type).__name__.removeprefix("Core").removesuffix("Type").lower()


def _names(names: list[str]) -> str:
    return ", ".join(map(repr, names[:8])) + (" …" if len(names) > 8 else "") if names else "none"
