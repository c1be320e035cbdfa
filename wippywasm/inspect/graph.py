"""What is linked to what once a binary is instantiated: imports, core instances, exports.

In: a plan, in which nested components are unfolded. Out: `Graph`: boxes, and links that name the items they carry.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from wippywasm.inspect.model import Box, Graph, Link
from wippywasm.instance.exports import join
from wippywasm.plan import Plan
from wippywasm.plan.items import (
    CoreExportRef,
    CoreRef,
    FuncRef,
    HostFuncRef,
    ImportedModule,
    Item,
    LiftRef,
    ModuleRef,
    PlanInstance,
    StaticModule,
)
from wippywasm.plan.steps import ImportCoreFunc, InstantiateModule, LowerFunc

FUNCTIONS = "functions"
"""The box of all functions that are exported outside of any interface."""


def graph_of(plan: Plan, module_names: Mapping[int, str]) -> Graph:
    """The graph of a plan; `module_names` has the names of `plan.modules`, where they have one."""
    return _Graph(plan, module_names).graph()


class _Graph:
    def __init__(self, plan: Plan, names: Mapping[int, str]) -> None:
        self.plan = plan
        self.names = names
        self.imports = frozenset(plan.imports)
        self.links: dict[tuple[str, str], dict[str, None]] = {}
        self.lowered: dict[int, str | None] = {}
        """Trampoline → the box that its function comes from; None for a built-in of the runtime."""

    def graph(self) -> Graph:
        imports = [Box(f"import {name}", "import", name) for name in self.plan.imports]
        cores = [self._instance(step) for step in self.plan.steps if self._note(step)]  # in order: lowers come first
        exports = list(self._exports())
        links = tuple(Link(source, target, tuple(items)) for (source, target), items in self.links.items())
        return Graph((*imports, *cores, *exports), links)

    def _note(self, step: object) -> bool:
        """Keep what a trampoline stands for; whether the step makes a core instance."""
        if isinstance(step, LowerFunc):
            self.lowered[step.index] = self._function(step.func)
        elif isinstance(step, ImportCoreFunc):
            self.lowered[step.index] = f"import {self.plan.core_imports[step.host].module}"
        return isinstance(step, InstantiateModule)

    def _instance(self, step: object) -> Box:
        assert isinstance(step, InstantiateModule)
        id = f"instance {step.index}"
        for _, name, ref in step.args:
            source = self._core(ref)
            if source is not None:
                self._link(source, id, name)
        return Box(id, "instance", f"{step.index}: {self._module_name(step.module)}", self._size(step.module))

    def _module_name(self, module: ModuleRef) -> str:
        if isinstance(module, ImportedModule):
            return f"imported {'/'.join(module.path)}"
        return self.names.get(module.index) or f"core module {module.index}"

    def _size(self, module: ModuleRef) -> int | None:
        return len(self.plan.modules[module.index].wasm) if isinstance(module, StaticModule) else None

    def _exports(self) -> Iterator[Box]:
        loose = False
        for name, item in self.plan.exports.items():
            sources = list(self._sources(item, ""))
            if isinstance(item, PlanInstance):
                yield Box(f"export {name}", "export", name)
            loose = loose or (bool(sources) and not isinstance(item, PlanInstance))
            target = name if isinstance(item, PlanInstance) else FUNCTIONS
            for source, inner in sources:
                if source is not None:
                    self._link(source, f"export {target}", inner or name)
        if loose:
            yield Box(f"export {FUNCTIONS}", "export", FUNCTIONS)

    def _sources(self, item: Item, name: str) -> Iterator[tuple[str | None, str]]:
        """The boxes that an exported item comes from (None for a built-in of the runtime), with its name there."""
        if isinstance(item, LiftRef | HostFuncRef):
            yield self._function(item), name
        elif isinstance(item, PlanInstance):
            for inner, part in item.exports.items():
                yield from self._sources(part, join(name, inner))

    def _function(self, ref: FuncRef) -> str | None:
        if isinstance(ref, HostFuncRef):
            return self._import(self.plan.host_functions[ref.index].path[0])
        return self._core(self.plan.lifts[ref.index].core)

    def _import(self, name: str) -> str | None:
        """The box of an import: what a component within one exports has a name that begins with it."""
        while name not in self.imports and "/" in name:
            name = name.rpartition("/")[0]
        return f"import {name}" if name in self.imports else None

    def _core(self, ref: CoreRef) -> str | None:
        if isinstance(ref, CoreExportRef):
            return f"instance {ref.instance}"
        return self.lowered.get(ref.index)

    def _link(self, source: str, target: str, name: str) -> None:
        self.links.setdefault((source, target), {})[name] = None
