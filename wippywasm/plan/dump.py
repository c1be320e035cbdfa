"""A plan as text: what the goldens compare, and what introspection shows.

In: `Plan`. Out: lines. Names: `m` modules, `c` component instances, `i` core instances, `t` trampolines, `l` lifted
functions, `f` host functions, `x` core functions of the host, `r` resources.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from wippywasm.core import CoreFuncType
from wippywasm.model import ResourceType
from wippywasm.plan.describe import describe_core, describe_func
from wippywasm.plan.items import (
    ComponentItem,
    CoreExportRef,
    CoreRef,
    FuncRef,
    ImportedModule,
    Item,
    LiftRef,
    ModuleRef,
    PlanInstance,
    StaticModule,
    TypeItem,
)
from wippywasm.plan.plan import Plan
from wippywasm.plan.steps import (
    CallCoreFunc,
    CanonicalBuiltin,
    DefineResource,
    ImportCoreFunc,
    InstantiateModule,
    LowerFunc,
    NewComponentInstance,
    PlanOptions,
    ResourceBuiltin,
    Step,
)


def dump(plan: Plan) -> str:
    """The whole plan, one thing per line."""
    return "\n".join(_Dumper(plan).lines()) + "\n"


class _Dumper:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        defined = [s.resource for s in plan.steps if isinstance(s, DefineResource)]
        resources = [r.resource for r in plan.host_resources] + defined
        self.resources = {resource: f"r{i}" for i, resource in enumerate(resources)}
        self.host_modules = {id(m): f"host m{i}" for i, m in enumerate(plan.host_modules)}

    def lines(self) -> Iterator[str]:
        yield from _section("modules", (f"m{i} {len(m.wasm)} bytes" for i, m in enumerate(self.plan.modules)))
        yield from _section("imports", self.imports())
        yield from _section("steps", map(self.step, self.plan.steps))
        yield from _section("lifts", self.lifts())
        yield from _section("exports", self.exports(self.plan.exports, ""))

    def imports(self) -> Iterator[str]:
        for i, m in enumerate(self.plan.host_modules):
            yield f"host m{i} = {_path(m.path)}"
        for r in self.plan.host_resources:
            yield f"{self.resources[r.resource]} = {_path(r.path)}: resource"
        for i, f in enumerate(self.plan.host_functions):
            yield f"f{i} = {_path(f.path)}: {describe_func(f.type)}"
        for i, x in enumerate(self.plan.core_imports):
            assert isinstance(x.type, CoreFuncType)
            yield f"x{i} = {x.module!r} {x.name!r}: core {describe_core(x.type)}"

    def lifts(self) -> Iterator[str]:
        for i, lift in enumerate(self.plan.lifts):
            options = self.options(lift.options)
            yield f"l{i} = {self.core(lift.core)} in c{lift.instance}{options}: {describe_func(lift.type)}"

    def exports(self, items: Mapping[str, Item], indent: str) -> Iterator[str]:
        for name, item in items.items():
            if isinstance(item, PlanInstance):
                yield f"{indent}{name!r} = instance"
                yield from self.exports(item.exports, indent + "  ")
            else:
                yield f"{indent}{name!r} = {self.item(item)}"

    def item(self, item: Item) -> str:
        match item:
            case ResourceType():
                return self.resources[item]
            case TypeItem():
                return "type"
            case ComponentItem():
                return "component"
            case StaticModule() | ImportedModule():
                return self.module(item)
            case PlanInstance():
                return "instance"
            case _:
                return self.func(item)

    def step(self, step: Step) -> str:
        match step:
            case NewComponentInstance(index=i, parent=parent):
                return f"c{i} = component instance" + ("" if parent is None else f" of c{parent}")
            case InstantiateModule(index=i, module=module, args=args):
                given = ", ".join(f"{m!r} {n!r} = {self.core(ref)}" for m, n, ref in args)
                return f"i{i} = instantiate {self.module(module)}({given})"
            case DefineResource(resource=resource, dtor=dtor, instance=c):
                return f"{self.resources[resource]} = resource of c{c}" + (f", dtor {self.core(dtor)}" if dtor else "")
            case LowerFunc(index=i, func=func, instance=c, options=options, core_type=core):
                return f"t{i} = lower {self.func(func)} in c{c}{self.options(options)}: {describe_core(core)}"
            case ResourceBuiltin(index=i, operation=operation, resource=resource, instance=c):
                return f"t{i} = {operation} {self.resources[resource]} in c{c}"
            case CanonicalBuiltin(index=i, name=name, instance=c):
                return f"t{i} = {name} in c{c}"
            case ImportCoreFunc(index=i, host=host):
                return f"t{i} = x{host}"
            case CallCoreFunc(core=ref):
                return f"call {self.core(ref)}"

    def options(self, o: PlanOptions) -> str:
        refs = (("memory", o.memory), ("realloc", o.realloc), ("post-return", o.post_return), ("callback", o.callback))
        parts = [f" {name} {self.core(ref)}" for name, ref in refs if ref is not None]
        encoding = "" if o.string_encoding == "utf8" else f" {o.string_encoding}"
        return encoding + (" async" if o.is_async else "") + "".join(parts)

    def module(self, ref: ModuleRef) -> str:
        return f"m{ref.index}" if isinstance(ref, StaticModule) else self.host_modules[id(ref)]

    def core(self, ref: CoreRef) -> str:
        return f"i{ref.instance}.{ref.name!r}" if isinstance(ref, CoreExportRef) else f"t{ref.index}"

    def func(self, ref: FuncRef) -> str:
        return f"l{ref.index}" if isinstance(ref, LiftRef) else f"f{ref.index}"


def _path(path: tuple[str, ...]) -> str:
    return " ".join(map(repr, path))


def _section(title: str, lines: Iterator[str]) -> Iterator[str]:
    yield title
    for line in lines:
        yield f"  {line}"
