"""The growing plan: hands out numbers and collects steps.

In: what the walk over a component (or a core module) finds. Out: `Plan`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from wippywasm.binary.component import ComponentType, CoreModule, DefinedType, ModuleType
from wippywasm.core import CoreImport
from wippywasm.model import FuncType, ResourceType
from wippywasm.plan.items import (
    CoreRef,
    HostFuncRef,
    ImportedModule,
    Item,
    LiftRef,
    StaticModule,
    TrampolineRef,
)
from wippywasm.plan.plan import HostComponent, HostFunction, HostResource, HostType, Plan, PlanModule
from wippywasm.plan.steps import ImportCoreFunc, InstantiateModule, Lift, NewComponentInstance, Step


class PlanBuilder:
    """Collects the parts of one plan."""

    def __init__(self) -> None:
        self.modules: list[PlanModule] = []
        self.host_functions: list[HostFunction] = []
        self.host_resources: list[HostResource] = []
        self.host_modules: list[ImportedModule] = []
        self.host_instances: list[tuple[str, ...]] = []
        self.host_types: list[HostType] = []
        self.host_components: list[HostComponent] = []
        self.core_imports: list[CoreImport] = []
        self._core_refs: dict[CoreImport, TrampolineRef] = {}
        self.lifts: list[Lift] = []
        self.steps: list[Step] = []
        self._module_of: dict[int, tuple[object, StaticModule]] = {}
        self._component_instances = 0
        self._core_instances = 0
        self._trampolines = 0

    def step(self, step: Step) -> None:
        self.steps.append(step)

    def component_instance(self, parent: int | None) -> int:
        index = self._component_instances
        self._component_instances += 1
        self.step(NewComponentInstance(index, parent))
        return index

    def module(self, definition: CoreModule) -> StaticModule:
        """The module of a definition: one, however often its component is instantiated."""
        return self._module(definition, PlanModule(definition.wasm, definition.info, definition.offset))

    def adopt(self, module: PlanModule) -> StaticModule:
        """A module of another plan as one of this."""
        return self._module(module, module)

    def _module(self, origin: object, module: PlanModule) -> StaticModule:
        known = self._module_of.get(id(origin))
        if known is None:
            known = self._module_of[id(origin)] = (origin, self.add_module(module))
        return known[1]

    def add_module(self, module: PlanModule) -> StaticModule:
        self.modules.append(module)
        return StaticModule(len(self.modules) - 1)

    def module_type(self, module: StaticModule | ImportedModule) -> ModuleType:
        return self.modules[module.index].info.type if isinstance(module, StaticModule) else module.type

    def core_instance(self, module: StaticModule | ImportedModule, args: Iterable[CoreRef]) -> int:
        """A core instance; `args` are the items for the imports of the module, in their order."""
        imports = self.module_type(module).imports
        ordered = tuple([(i.module, i.name, arg) for i, arg in zip(imports, args, strict=True)])
        index = self._core_instances
        self._core_instances += 1
        self.step(InstantiateModule(index, module, ordered))
        return index

    def trampoline(self) -> int:
        index = self._trampolines
        self._trampolines += 1
        return index

    def lift(self, lift: Lift) -> LiftRef:
        self.lifts.append(lift)
        return LiftRef(len(self.lifts) - 1)

    def host_function(self, path: tuple[str, ...], type: FuncType) -> HostFuncRef:
        self.host_functions.append(HostFunction(path, type))
        return HostFuncRef(len(self.host_functions) - 1)

    def host_resource(self, path: tuple[str, ...], resource: ResourceType) -> ResourceType:
        self.host_resources.append(HostResource(path, resource))
        return resource

    def host_module(self, path: tuple[str, ...], type: ModuleType) -> ImportedModule:
        module = ImportedModule(path, type)
        self.host_modules.append(module)
        return module

    def host_type(self, path: tuple[str, ...], type: DefinedType) -> None:
        self.host_types.append(HostType(path, type))

    def host_component(self, path: tuple[str, ...], type: ComponentType) -> None:
        self.host_components.append(HostComponent(path, type))

    def core_import(self, wanted: CoreImport) -> TrampolineRef:
        """What that import calls; a module that names one function twice, as Go's do, gets the same for both."""
        ref = self._core_refs.get(wanted)
        if ref is None:
            index = self.trampoline()
            self.step(ImportCoreFunc(index, len(self.core_imports)))
            self.core_imports.append(wanted)
            ref = self._core_refs[wanted] = TrampolineRef(index)
        return ref

    def needed(self) -> set[str]:
        """Names of the imports that something was taken from."""
        paths = [w.path for w in self.host_functions] + [w.path for w in self.host_resources]
        paths += [w.path for w in self.host_modules] + [w.path for w in self.host_components]
        return {path[0] for path in paths} | {i.module for i in self.core_imports}

    def finish(
        self, imports: tuple[str, ...], exports: Mapping[str, Item], uncallable: Mapping[str, str] | None = None
    ) -> Plan:
        return Plan(
            imports,
            tuple(self.modules),
            tuple(self.host_functions),
            tuple(self.host_resources),
            tuple(self.host_modules),
            tuple(self.host_instances),
            tuple(self.host_types),
            tuple(self.host_components),
            tuple(self.core_imports),
            tuple(self.lifts),
            tuple(self.steps),
            exports,
            uncallable or {},
        )
