"""A loaded component or core module: what it exports and imports, and instances of it.

In: a plan (or a component whose plan depends on component imports), an engine. Out: what is linked, and guests. A
`Component` may be shared between threads; its core modules are compiled when it is first instantiated or by
`compile()`.

Spec: SPEC section 14.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

from wippywasm.binary import component as binary
from wippywasm.engine.port import Engine, Module
from wippywasm.errors import BinaryError, InvalidError, LinkError, UnavailableError
from wippywasm.instance.closing import Closing
from wippywasm.instance.demand import Demand, demand_of
from wippywasm.instance.exports import ExportedInstance
from wippywasm.instance.functions import FunctionItem, exported_functions, exported_methods, find_key
from wippywasm.instance.guest import Guest
from wippywasm.instance.host_components import find_components
from wippywasm.instance.limits import Limits
from wippywasm.instance.link import Undeclared, link
from wippywasm.instance.linked_component import LinkedComponent
from wippywasm.instance.names import split_version
from wippywasm.instance.providers import find_import
from wippywasm.instance.unused import check_unused
from wippywasm.model import FuncType
from wippywasm.plan import Closure, Plan, plan_component
from wippywasm.plan.items import ComponentItem, LiftRef
from wippywasm.plan.plan import PlanModule

if TYPE_CHECKING:
    from wippywasm.instance.bindings import Bindings


class Imports(Protocol):
    """Has hosts for all that it stands for, by names of imports."""

    def imports(self) -> Mapping[str, Any]: ...


class Component(Closing):
    """A component, or a core module with its signatures.

    `wasm` is the binary, `kind` tells the two apart, `decoded` is the component's tree (None for a core module).
    `functions` has every exported function's type by key: `name`, or `ns:pkg/iface@1.0.0#name` within an instance.
    `imports` are the names of the imports that something must be given for, in order.

    Closed by `close()`, or at the end of a `with` block.
    """

    def __init__(self, wasm: bytes | memoryview, plan: Plan, engine: Engine, source: Closure | None = None) -> None:
        self.wasm = wasm
        self.kind: Literal["component", "module"] = "module" if source is None else "component"
        self.decoded: binary.Component | None = None if source is None else source.component
        self._source = source
        self.plan = plan
        self.engine = engine
        self.imports: tuple[str, ...] = plan.imports
        self._function_items: dict[str, FunctionItem] = exported_functions(plan)
        self.functions: Mapping[str, FuncType] = {k: self._type(i) for k, i in self._function_items.items()}
        self._methods = exported_methods(plan)
        self._modules: tuple[Module, ...] | None = None
        self._demand: Demand | None = None
        self._closed = False
        self._lock = threading.Lock()

    def _type(self, item: FunctionItem) -> FuncType:
        table = self.plan.lifts if isinstance(item, LiftRef) else self.plan.host_functions
        return table[item.index].type

    def find_function(self, method: str) -> tuple[str, FuncType]:
        """The key and type of the function that `method` names: a key, or `iface#name` in any shorter form.

        Raises NotFoundError with near names, or with the reason why a function of that name can't be called.
        """
        key = find_key(method, self.functions, self.plan.uncallable)
        return key, self.functions[key]

    def check_limits(self, limits: Limits) -> None:
        """Raise InvalidError where an instance needs more from the start than it may have."""
        limits.check(self._needs())

    def _needs(self) -> Demand:
        if self._demand is None:
            self._demand = demand_of(self.plan)
        return self._demand

    def compile(self) -> None:
        """Compile the core modules now, through the engine's cache.

        Raises BinaryError, UnsupportedFeatureError, or UnavailableError once it is closed.
        """
        self._compiled()

    def _compiled(self) -> tuple[Module, ...]:
        with self._lock:
            self._check_open()
            if self._modules is None:
                modules = tuple(_module(self.engine, m) for m in self.plan.modules)
                if self.decoded is not None:
                    check_unused(self.decoded, self.plan.modules)
                self._modules = modules
            return self._modules

    def _check_open(self) -> None:
        if self._closed:
            raise UnavailableError("the component is closed", hint="load it again")

    def compile_for_tasks(self, limits: Limits) -> None:
        """`compile`, and what instances with these limits need where an event loop runs; raises the same."""
        modules = self._compiled()
        bounds = replace(limits.store_limits(self._needs()), interruptible=True)
        for module in modules:
            self.engine.prepare(module, bounds)

    def _planned_with(self, imports: Mapping[str, Any]) -> Component:
        """This component with the components that it imports in their places; itself where it imports none."""
        if self._source is None or not self.plan.host_components:
            return self
        plan = plan_component(self._source, find_components(self.plan.host_components, imports))
        return Component(self.wasm, plan, self.engine, self._source)

    def _nested(self, item: ComponentItem) -> Component:
        """A component that this one exports; its `wasm` is the whole that it is a part of."""
        assert isinstance(item, Closure), "an instance runs only where every component is there"
        return Component(self.wasm, plan_component(item), self.engine, item)

    def link(
        self,
        imports: Mapping[str, Any] | None = None,
        *,
        wasi: Imports | None = None,
        undeclared: Undeclared = "refuse",
        bindings: Bindings | None = None,
    ) -> LinkedComponent:
        """Look up every import once, for any number of instances. Raises LinkError as `instantiate` does."""
        self._check_open()
        if undeclared not in ("refuse", "deny"):
            raise InvalidError(f"undeclared must be 'refuse' or 'deny', not {undeclared!r}")
        if bindings is not None:
            _check_bindings(bindings)
        imports = _merged(_hosts(wasi), _checked(imports or {}))
        component = self._planned_with(imports)
        _refuse_components(component.plan, imports)
        linked = link(component.plan, imports, undeclared)
        if bindings is not None:
            linked = replace(linked, bound=bindings.bind(component.plan, component.functions, linked.own))
        return LinkedComponent(component, linked)

    def instantiate(
        self,
        imports: Mapping[str, Any] | None = None,
        *,
        wasi: Imports | None = None,
        undeclared: Undeclared = "refuse",
        limits: Limits | None = None,
        bindings: Bindings | None = None,
    ) -> Guest:
        """A new instance.

        `imports` maps names of imports to what serves them: a mapping, an object or a module with the functions, a
        callable for a function, a class for a resource, bytes for a core module, a `Component` for a component, or
        another guest or its exports, whose types are compared. `wasi`, a `Wasi`, serves WASI imports that are not in
        `imports`. `undeclared` says what becomes of the rest. With `bindings`, values of the world's named types are
        objects of their classes. Raises LinkError for an import that is missing or does not fit and for a component
        that is not of the bindings' world, Trap where the guest's start function traps, and whatever a host function
        raises meanwhile.
        """
        linked = self.link(imports, wasi=wasi, undeclared=undeclared, bindings=bindings)
        return linked.instantiate(limits=limits)

    @property
    def closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        """Let go of the compiled code: nothing is linked or instantiated any more (UnavailableError).

        What it says of itself stays, and so does what it made: guests, and links of which guests were made. Closing
        twice does nothing.
        """
        with self._lock:
            self._closed, self._modules = True, None

    def __repr__(self) -> str:
        return f"<{self.kind} of {len(self.wasm)} bytes>"


def _checked(imports: Any) -> Mapping[str, Any]:
    """What a caller gave for imports; raises InvalidError where that is no mapping by names."""
    if not isinstance(imports, Mapping):
        given = "the exports of a guest" if isinstance(imports, Guest | ExportedInstance) else type(imports).__name__
        raise InvalidError(f"imports must be a mapping from names of imports, not {given}")
    for name in imports:
        if not isinstance(name, str):
            raise InvalidError(f"imports must be a mapping from names of imports, and {name!r} is none")
    return imports


def _hosts(wasi: Any) -> Mapping[str, Any]:
    """The hosts of WASI; raises InvalidError for what has none."""
    if wasi is None:
        return {}
    if not callable(getattr(wasi, "imports", None)):
        raise InvalidError(f"wasi must be a Wasi(…), not {wasi!r}", hint="such as Wasi(args=['program'])")
    hosts: Mapping[str, Any] = wasi.imports()
    return hosts


def _check_bindings(bindings: object) -> None:
    from wippywasm.instance.bindings import Bindings  # reads WIT, so who has bindings has loaded it

    if not isinstance(bindings, Bindings):
        raise InvalidError(f"bindings must be the BINDINGS of a generated package, not {bindings!r}")


def _refuse_components(plan: Plan, imports: Mapping[str, Any]) -> None:
    """Raise LinkError where a component is given for an instance: its Python attributes would count as functions."""
    for path in plan.host_instances:
        given = find_import(imports, path)
        if isinstance(given, Component | LinkedComponent):
            raise LinkError(
                f"import {'#'.join(path)!r} is an instance, and a component is none",
                path[0],
                hint="instantiate it, and give the guest or its exports",
            )


def _merged(hosts: Mapping[str, Any], imports: Mapping[str, Any]) -> dict[str, Any]:
    """What is given, and the hosts of those interfaces that nothing is given for, in whatever version."""
    given = {split_version(name)[0] for name in imports}
    return {**{name: host for name, host in hosts.items() if split_version(name)[0] not in given}, **imports}


def _module(engine: Engine, module: PlanModule) -> Module:
    """The module; what is wrong with its code is told in terms of the whole file."""
    try:
        return engine.compile(module.wasm, module.info)
    except BinaryError as error:
        raise error.moved(module.offset) from None
