"""The parts of a binary, before they are put into words.

In: a file. Out: `Parts`: its world, core modules, imports and plan; a part that can't be had is a problem, no failure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field

from wippywasm import wit
from wippywasm.binary import component as binary
from wippywasm.binary import core_module, decode
from wippywasm.binary.component import CustomSection
from wippywasm.binary.core_custom import ProducersReader
from wippywasm.dataclass import dataclass
from wippywasm.errors import BinaryError, InvalidError, NotFoundError, ValidationError, WippyError
from wippywasm.inspect.exports import other_component_exports, other_exports
from wippywasm.inspect.files import File
from wippywasm.inspect.imports import component_imports, core_imports
from wippywasm.inspect.model import Import, ModuleFacts, Node, OtherExport, Producers, WorldTexts
from wippywasm.inspect.modules import component_modules, merged_producers, module_facts
from wippywasm.inspect.tree import Listing, component_tree, module_node
from wippywasm.inspect.worlds import component_texts, embedded_world, texts_of
from wippywasm.instance.functions import exported_functions
from wippywasm.plan import Plan, plan_component, plan_core_module
from wippywasm.wit import Resolution, Signatures, signatures_of


@dataclass(frozen=True)
class Parts:
    """`types` is the WIT that an entry of a core module needs; `plan` is None where `problems` says why."""

    kind: str
    tree: Node
    texts: WorldTexts = field(default_factory=WorldTexts)
    modules: tuple[ModuleFacts, ...] = ()
    customs: tuple[CustomSection, ...] = ()
    producers: Producers = field(default_factory=dict)
    imports: tuple[Import, ...] = ()
    other_exports: tuple[OtherExport, ...] = ()
    plan: Plan | None = None
    module_names: Mapping[int, str] = field(default_factory=dict)
    types: str | None = None
    problems: tuple[str, ...] = ()


def parts_of(file: File) -> Parts:
    """Raises BinaryError for bytes that are not valid, code included."""
    if file.kind == "module":
        return _module(file)
    component = decode(file.wasm)
    package = _wit_package(file.wasm, component)
    return _component(component) if package is None else _package(component, package)


def _module(file: File) -> Parts:
    info = core_module.parse(file.wasm)
    texts, signatures = _embedded(info.customs)
    types = None if signatures is None else texts.whole
    plan, problems = _attempt(lambda: plan_core_module(info, file.wasm, signatures))
    facts = module_facts(info, file.wasm, ProducersReader(), "0")
    functions = {} if plan is None else exported_functions(plan)
    return Parts(
        "module",
        module_node(info, len(file.wasm), "core module", Listing()),
        texts,
        (facts,),
        info.customs,
        facts.producers,
        tuple(core_imports(info.imports, has_types=types is not None)),
        tuple(other_exports(info.exports, functions)),
        plan,
        {} if info.module_name is None else {0: info.module_name},
        types,
        problems,
    )


def _embedded(customs: Sequence[CustomSection]) -> tuple[WorldTexts, Signatures | None]:
    """The world that a bindings generator left as text, and what it says of functions, where it has both."""
    world = embedded_world(customs)
    if world is None:
        return WorldTexts(), None
    texts = texts_of(world)
    if texts.fault is not None:
        return texts, None
    try:
        return texts, signatures_of(world)
    except (InvalidError, NotFoundError):
        return texts, None


def _component(component: binary.Component) -> Parts:
    producers = ProducersReader()
    own = producers.read(component.customs)
    texts = component_texts(component)
    modules = tuple(component_modules(component, producers))
    plan, problems = _attempt(lambda: plan_component(component))
    return Parts(
        "component",
        component_tree(component),
        texts,
        modules,
        component.customs,
        merged_producers([own, *(m.producers for m in modules)]),
        tuple(component_imports(component.type.imports, plan)),
        tuple(other_component_exports(component.type.exports)),
        plan,
        {} if plan is None else _names(plan),
        problems=problems,
    )


def _package(component: binary.Component, package: Resolution) -> Parts:
    producers = ProducersReader().read(component.customs)
    texts = texts_of(package, whole=True)
    return Parts("wit package", component_tree(component), texts, (), component.customs, producers)


def _wit_package(wasm: bytes, component: binary.Component) -> Resolution | None:
    """The WIT package that a component is, if it is one: it has nothing but types, and exports some."""
    if not component.type.exports or component.type.imports:
        return None
    if not all(isinstance(e, binary.TypeBound) for e in component.type.exports.values()):
        return None
    try:
        return wit.decode(wasm)
    except BinaryError:
        return None


def _names(plan: Plan) -> dict[int, str]:
    """The names that the name sections of a plan's modules give."""
    names = {i: m.info.module_name for i, m in enumerate(plan.modules)}
    return {i: name for i, name in names.items() if name}


def _attempt(make: Callable[[], Plan]) -> tuple[Plan | None, tuple[str, ...]]:
    """The plan, or why there is none. What the decoder let pass and the planner finds invalid is no binary at all."""
    try:
        return make(), ()
    except ValidationError:
        raise
    except WippyError as error:
        return None, tuple(f"it can't run here: {line}" for line in error.message.splitlines())
