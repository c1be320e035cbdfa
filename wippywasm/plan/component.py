"""From a decoded component to its plan, by walking the tree once and following every reference.

In: a validated `Component`, and the components that stand for its component imports. Out: `Plan`.

The walk is an inliner. A nested component is walked again at each place that instantiates it, with index spaces of
its own, so aliases, re-exports, nested scopes and virtualised instances cost nothing at run time: what remains are core
instances, the functions between them, and the resources they own.

Spec: `Explainer.md` (component definitions), `Binary.md`; definitions are handled in the order of `binary.component`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from wippywasm.binary import component as c
from wippywasm.core import CoreFuncType
from wippywasm.errors import UnsupportedFeatureError, ValidationError
from wippywasm.model import FuncType, ResourceType
from wippywasm.plan.builder import PlanBuilder
from wippywasm.plan.growth import MAX_INSTANTIATION_DEPTH, Growth
from wippywasm.plan.items import (
    ComponentItem,
    CoreRef,
    HostFuncRef,
    ImportedModule,
    Item,
    LiftRef,
    PlanInstance,
    StaticModule,
    TrampolineRef,
    TypeItem,
)
from wippywasm.plan.narrow import Narrowing
from wippywasm.plan.plan import Plan
from wippywasm.plan.scope import InlineCoreInstance, RealCoreInstance, Scope, sort_of
from wippywasm.plan.steps import CanonicalBuiltin, DefineResource, Lift, LowerFunc, PlanOptions, ResourceBuiltin


class Closure(ComponentItem):
    """A component with the scope it was defined in, for its outer aliases."""

    def __init__(self, component: c.Component, outer: Scope | None) -> None:
        self.component = component
        self.outer = outer


class MissingComponent(ComponentItem):
    """A component import that nothing was given for: its instances are planned as if the host supplied them.

    Such a plan tells what the component exports, and is not to be run.
    """

    def __init__(self, name: str) -> None:
        self.name = name


def plan_component(
    component: c.Component | Closure, components: Mapping[tuple[str, ...], Closure] | None = None
) -> Plan:
    """The plan of a component; `components` are given for its imports of components, by their paths.

    Raises ValidationError for a component that unfolds beyond all measure, and UnsupportedFeatureError for `start` and
    value definitions.
    """
    closure = component if isinstance(component, Closure) else Closure(component, None)
    given = components or {}
    growth = Growth([closure.component, *[g.component for g in given.values()]])
    builder = PlanBuilder()
    scope = Scope(closure.outer, builder.modules, growth, Narrowing(growth))
    args = _HostItems(builder, scope, given)
    exports = _Walk(builder, scope, builder.component_instance(None), args.make, 0).run(closure.component).exports
    growth.export(exports)
    needed = builder.needed()
    return builder.finish(tuple(n for n in closure.component.type.imports if n in needed), exports)


Argument = Callable[[str, c.ExternType], Item]
"""Gives the item for an import, by its name and its type in the importing scope."""


class _HostItems:
    """Items for the outermost imports: references to what the host will supply."""

    def __init__(self, builder: PlanBuilder, scope: Scope, components: Mapping[tuple[str, ...], Closure]) -> None:
        self._builder = builder
        self._scope = scope
        self._components = components

    def make(self, name: str, type: c.ExternType) -> Item:
        return self._item((name,), type)

    def _item(self, path: tuple[str, ...], t: c.ExternType) -> Item:
        self._scope.growth.host_item(path)
        match t:
            case c.ModuleType():
                return self._builder.host_module(path, t)
            case FuncType():
                return self._builder.host_function(path, self._scope.func_type(t))
            case c.TypeBound():
                return self._type(path, t)
            case c.InstanceType(exports=exports):
                self._scope.growth.host_instance(len(exports))
                self._builder.host_instances.append(path)
                return PlanInstance({name: self._item((*path, name), e) for name, e in exports.items()})
            case c.ComponentType():
                return self._component(path, t)
            case c.ValueBound():
                raise UnsupportedFeatureError("value imports", "wippywasm")

    def _type(self, path: tuple[str, ...], bound: c.TypeBound) -> Item:
        if not isinstance(bound.type, ResourceType) or not bound.fresh:
            type = self._scope.type(bound.type)
            self._builder.host_type(path, type)
            return type if isinstance(type, ResourceType) else TypeItem(type)
        self._scope.growth.host_resource(path)
        resource = self._builder.host_resource(path, ResourceType(path[-1]))
        self._scope.bind(bound, resource)
        return resource

    def _component(self, path: tuple[str, ...], type: c.ComponentType) -> Item:
        self._builder.host_component(path, type)
        given = self._components.get(path)
        return MissingComponent("/".join(path)) if given is None else given


class _Walk:
    """One instantiation of one component."""

    def __init__(self, builder: PlanBuilder, scope: Scope, instance: int, argument: Argument, depth: int) -> None:
        self.builder = builder
        self.scope = scope
        self.growth = scope.growth
        self.instance = instance
        self.argument = argument
        self.depth = depth
        self.exports: dict[str, Item] = {}
        self._known_options: dict[c.CanonicalOptions, PlanOptions] = {}

    def run(self, component: c.Component) -> PlanInstance:
        self.growth.walk(component)
        for definition in component.definitions:
            self.growth.offset = definition.offset
            _HANDLERS[type(definition)](self, definition)
        return PlanInstance(self.exports)

    # ---- core definitions

    def core_module(self, d: c.CoreModule) -> None:
        self.scope.items["core module"].append(self.builder.module(d))

    def core_type(self, d: c.CoreTypeDefinition) -> None:
        self.scope.items["core type"].append(TypeItem(d.type))

    def instantiate_module(self, d: c.InstantiateModule) -> None:
        module = self.scope.items["core module"][d.module]
        assert isinstance(module, StaticModule | ImportedModule)
        given = {name: self.scope.core_instances[index] for name, index in d.args}
        imports = self.builder.module_type(module).imports
        self.growth.instantiate(module, len(imports))
        args = [given[i.module].export(i.name) for i in imports]
        self.scope.core_instances.append(RealCoreInstance(self.builder.core_instance(module, args)))

    def core_inline_exports(self, d: c.CoreInlineExports) -> None:
        exports = {name: self.scope.core[sort][index] for name, sort, index in d.exports}
        self.scope.core_instances.append(InlineCoreInstance(exports))

    def alias_core_export(self, d: c.AliasCoreExport) -> None:
        self.scope.core[d.sort].append(self.scope.core_instances[d.instance].export(d.name))

    # ---- components and instances

    def nested_component(self, d: c.NestedComponent) -> None:
        self.scope.items["component"].append(Closure(d.component, self.scope))

    def instantiate_component(self, d: c.InstantiateComponent) -> None:
        args = {name: self._item(sort, index) for name, sort, index in d.args}
        component = self.scope.items["component"][d.component]
        if isinstance(component, Closure):
            instance: Item = self._instantiate(component, args)
        else:
            assert isinstance(component, MissingComponent)
            instance = _HostItems(self.builder, self.scope, {}).make(component.name, d.type)
        self.growth.offset = d.offset
        self._introduce("instance", instance, d.type)

    def _instantiate(self, component: Closure, args: Mapping[str, Item]) -> PlanInstance:
        if self.depth == MAX_INSTANTIATION_DEPTH:
            raise ValidationError(f"instances nest deeper than {MAX_INSTANTIATION_DEPTH}", self.growth.offset)
        instance = self.builder.component_instance(self.instance)
        scope = Scope(component.outer, self.builder.modules, self.growth, self.scope.narrowing)
        walk = _Walk(self.builder, scope, instance, lambda name, _: args[name], self.depth + 1)
        return walk.run(component.component)

    def inline_exports(self, d: c.InlineExports) -> None:
        exports = {name: self._item(sort, index) for name, sort, index in d.exports}
        self.scope.items["instance"].append(PlanInstance(exports))

    def alias_export(self, d: c.AliasExport) -> None:
        instance = self.scope.items["instance"][d.instance]
        assert isinstance(instance, PlanInstance)
        self.scope.items[d.sort].append(instance.exports[d.name])

    def alias_outer(self, d: c.AliasOuter) -> None:
        # A type has no life of its own here: definitions carry the types they use.
        if d.sort == "core type":
            self.scope.items[d.sort].append(TypeItem(d.type))
            return
        if d.sort == "type":
            assert not isinstance(d.type, c.ModuleType | CoreFuncType | None)
            type = self.scope.type(d.type)
            self.scope.items[d.sort].append(type if isinstance(type, ResourceType) else TypeItem(type))
            return
        enclosing = self.scope.enclosing(d.count)
        self.scope.items[d.sort].append(self._adopted(enclosing.items[d.sort][d.index], enclosing))

    def _adopted(self, item: Item, scope: Scope) -> Item:
        """An item of an enclosing scope, which is another plan's where that exported the component."""
        if scope.modules is self.builder.modules:
            return item
        if isinstance(item, StaticModule):
            return self.builder.adopt(scope.modules[item.index])
        if isinstance(item, ImportedModule):
            raise UnsupportedFeatureError("an exported component that uses a module given to its guest", "wippywasm")
        return item

    def import_(self, d: c.Import) -> None:
        self._introduce(sort_of(d.type), self.scope.narrowing.narrowed(self.argument(d.name, d.type), d.type), d.type)

    def export(self, d: c.Export) -> None:
        item = self._item(d.sort, d.index)
        if d.is_ascribed:
            item = self.scope.narrowing.narrowed(item, d.type)
            self._introduce(d.sort, item, d.type)
        else:
            self.scope.items[d.sort].append(item)
        self.exports[d.name] = item

    def _item(self, sort: str, index: int) -> Item:
        return self.scope.items[sort][index]

    def _introduce(self, sort: str, item: Item, type: c.ExternType) -> None:
        """Add an item under a type that may have resources which nothing before it has."""
        self.scope.items[sort].append(item)
        self.scope.bind(type, item)

    # ---- types

    def type_definition(self, d: c.TypeDefinition) -> None:
        self.scope.items["type"].append(TypeItem(self.scope.type(d.type)))

    def resource_definition(self, d: c.ResourceDefinition) -> None:
        resource = ResourceType(d.type.name)
        dtor = None if d.destructor is None else self._core_func(d.destructor)
        self.builder.step(DefineResource(resource, dtor, self.instance))
        self._introduce("type", resource, c.TypeBound(d.type))

    # ---- canonical definitions

    def canon_lift(self, d: c.CanonLift) -> None:
        core, options = self._core_func(d.core_func), self._options(d.options)
        lift = Lift(core, self.scope.func_type(d.type), options, self.instance)
        self.scope.items["func"].append(self.builder.lift(lift))

    def canon_lower(self, d: c.CanonLower) -> None:
        func = self.scope.items["func"][d.func]
        assert isinstance(func, LiftRef | HostFuncRef)
        index, type, options = self._trampoline(), self.scope.func_type(d.type), self._options(d.options)
        self.builder.step(LowerFunc(index, func, type, options, self.instance, d.core_type))

    def canon_resource(self, d: c.CanonResource) -> None:
        index, resource = self._trampoline(), self.scope.resource(d.type)
        self.builder.step(ResourceBuiltin(index, d.operation, resource, self.instance))

    def canon_builtin(self, d: c.CanonBuiltin) -> None:
        index = self._trampoline()
        self.builder.step(CanonicalBuiltin(index, d.name, d.core_type, d.immediates, self.instance))

    def start(self, d: c.Start) -> None:
        raise UnsupportedFeatureError("a component start function", "wippywasm")

    def _trampoline(self) -> int:
        index = self.builder.trampoline()
        self.scope.core["core func"].append(TrampolineRef(index))
        return index

    def _core_func(self, index: int) -> CoreRef:
        return self.scope.core["core func"][index]

    def _options(self, o: c.CanonicalOptions) -> PlanOptions:
        """One for all functions with the same options, as nearly all of a component have."""
        known = self._known_options.get(o)
        if known is None:
            known = self._known_options[o] = self._plan_options(o)
        return known

    def _plan_options(self, o: c.CanonicalOptions) -> PlanOptions:
        def core(sort: str, index: int | None) -> CoreRef | None:
            return None if index is None else self.scope.core[sort][index]

        return PlanOptions(
            o.string_encoding,
            core("core memory", o.memory),
            core("core func", o.realloc),
            core("core func", o.post_return),
            o.is_async,
            core("core func", o.callback),
        )


_HANDLERS: dict[type[c.Definition], Callable[[_Walk, Any], None]] = {
    c.CoreModule: _Walk.core_module,
    c.CoreTypeDefinition: _Walk.core_type,
    c.InstantiateModule: _Walk.instantiate_module,
    c.CoreInlineExports: _Walk.core_inline_exports,
    c.AliasCoreExport: _Walk.alias_core_export,
    c.NestedComponent: _Walk.nested_component,
    c.InstantiateComponent: _Walk.instantiate_component,
    c.InlineExports: _Walk.inline_exports,
    c.AliasExport: _Walk.alias_export,
    c.AliasOuter: _Walk.alias_outer,
    c.Import: _Walk.import_,
    c.Export: _Walk.export,
    c.TypeDefinition: _Walk.type_definition,
    c.ResourceDefinition: _Walk.resource_definition,
    c.CanonLift: _Walk.canon_lift,
    c.CanonLower: _Walk.canon_lower,
    c.CanonResource: _Walk.canon_resource,
    c.CanonBuiltin: _Walk.canon_builtin,
    c.Start: _Walk.start,
}
