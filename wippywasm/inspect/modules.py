"""The core modules of a binary: what each has, what it needs, and which engine has that.

In: a decoded component, or a core module. Out: `ModuleFacts` in the order of the file, `EngineFit` for each engine.

A module's code is read by the engine's validator only; proposals are found by switching them off one at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from wippywasm.binary.component import Component, CoreModule, NestedComponent
from wippywasm.binary.component import CustomSection as Section
from wippywasm.binary.core_custom import ProducersReader
from wippywasm.binary.core_module import CoreModuleInfo
from wippywasm.engine.features import ENGINE_FEATURES
from wippywasm.engine.refusals import needed_features
from wippywasm.errors import BinaryError
from wippywasm.inspect.model import CustomSection, EngineFit, ModuleFacts, Producers


def component_modules(component: Component, producers: ProducersReader, prefix: str = "") -> Iterator[ModuleFacts]:
    """Every core module of a component, nested ones in their places. Raises BinaryError where code is not valid."""
    modules = components = 0
    for d in component.definitions:
        if isinstance(d, CoreModule):
            yield _nested_facts(d, producers, f"{prefix}{modules}")
            modules += 1
        elif isinstance(d, NestedComponent):
            yield from component_modules(d.component, producers, f"{prefix}component {components}/")
            components += 1


def _nested_facts(module: CoreModule, producers: ProducersReader, where: str) -> ModuleFacts:
    """Those of a module in a component; what is wrong with its code is told in terms of the whole file."""
    try:
        return module_facts(module.info, module.wasm, producers, where)
    except BinaryError as error:
        outer, _, number = where.rpartition("/")
        told = f"core module {number}{f' of {outer}' * (outer != '')}"
        raise error.moved(module.offset).of_file(told) from None


def module_facts(info: CoreModuleInfo, wasm: bytes | memoryview, producers: ProducersReader, where: str) -> ModuleFacts:
    """What one module has. Raises BinaryError where its code is not valid."""
    return ModuleFacts(
        where,
        info.module_name,
        len(wasm),
        len(info.imports),
        len(info.exports),
        len(info.functions),
        info.start is not None,
        info.memories,
        info.tables,
        sections(info.customs),
        producers.read(info.customs),
        tuple(needed_features(bytes(wasm))),
    )


def sections(customs: Iterable[Section]) -> tuple[CustomSection, ...]:
    return tuple(CustomSection(c.name, len(c.data)) for c in customs)


def merged_producers(parts: Iterable[Producers]) -> Producers:
    """Who made the parts, each once."""
    found: dict[str, dict[tuple[str, str], None]] = {}
    for producers in parts:
        for role, tools in producers.items():
            found.setdefault(role, {}).update(dict.fromkeys(tools))
    return {role: tuple(tools) for role, tools in found.items()}


def engine_fits(modules: Iterable[ModuleFacts]) -> tuple[EngineFit, ...]:
    """What each engine lacks of what the modules need; an engine need not be installed to be told of."""
    needed = dict.fromkeys(name for module in modules for name in module.features)
    return tuple(
        EngineFit(engine, tuple(name for name in needed if name not in has)) for engine, has in ENGINE_FEATURES.items()
    )
