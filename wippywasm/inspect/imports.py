"""What a binary imports, by the capability that grants it.

In: the imports of a component or core module. Out: groups under entries of `imports:`, those that nothing here serves
last, the shortest list that grants all the others, and a sentence on those last.

Spec: SPEC section 7.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

from wippywasm.binary.component import ComponentType, InstanceType, ModuleType
from wippywasm.core import CoreExternType, CoreFuncType, CoreImport
from wippywasm.inspect.model import Import, ImportGroup
from wippywasm.instance.grants import PREVIEW_1, grant_for, grants, is_offered
from wippywasm.instance.link import mistyped
from wippywasm.instance.names import split_version
from wippywasm.instance.offered import offered_types
from wippywasm.model import FuncType
from wippywasm.plan import Plan
from wippywasm.plan.describe import describe_core, describe_func
from wippywasm.wasi.preview1 import signatures as preview_1
from wippywasm.wit.names import interface_name

Fault: TypeAlias = "tuple[str | None, bool]"
"""What is wrong with an import, if anything, and whether it can be linked."""
Describe: TypeAlias = Callable[[FuncType], str]
_NO_FAULT: Fault = (None, True)


def component_imports(imports: Mapping[str, Any], plan: Plan | None) -> list[Import]:
    """The imports of a component, in order; those of mere types, which nobody has to supply, are left out."""
    wrong = frozenset[tuple[str, ...]]() if plan is None else mistyped(plan)
    describe = cache(describe_func)  # thousands may be of one type
    found = (_import(name, extern, wrong, describe) for name, extern in imports.items())
    return [i for i in found if i is not None]


def core_imports(imports: Iterable[CoreImport], *, has_types: bool) -> list[Import]:
    """The imports of a core module by import module, in order; `has_types` where it says its world in WIT."""
    by_module: dict[str, list[tuple[str, str]]] = {}
    for i in imports:
        by_module.setdefault(i.module, []).append((i.name, _core_words(i.type)))
    return [Import(m, tuple(items), *_core_fault(m, items, has_types=has_types)) for m, items in by_module.items()]


def grouped(imports: Sequence[Import]) -> tuple[ImportGroup, ...]:
    """The imports by what grants them; those that must be supplied come last."""
    groups: dict[str | None, list[Import]] = {}
    for i in imports:
        groups.setdefault(_grant(i), []).append(i)
    order = sorted(groups, key=lambda grant: grant is None)
    return tuple(ImportGroup(grant, tuple(groups[grant])) for grant in order)


def to_declare(groups: Iterable[ImportGroup]) -> tuple[str, ...]:
    """The `imports:` list: each grant that no other one of them includes."""
    wanted = [group.grant for group in groups if group.grant is not None]
    return tuple(g for g in wanted if g != "wasi:poll" or "wasi:io" not in wanted)


def to_supply(groups: Iterable[ImportGroup], kind: str) -> str | None:
    """Which imports nothing here serves, and how a component or core module gets them; None where there is none."""
    names = [i.name for group in groups if group.grant is None for i in group.imports]
    if not names:
        return None
    ways = ["from Python by component.instantiate(imports={name: object})"]
    if kind == "component":
        ways.insert(0, "by `with: [ID]` in its entry, the id of an entry whose component exports it")
    return f"nothing here serves {_some(names, 12)}: what needs it fails, unless it is given {', or '.join(ways)}"


def unlinkable(groups: Iterable[ImportGroup]) -> tuple[str, ...]:
    """A sentence for each import that keeps the whole from being linked."""
    return tuple(f"import {i.name}: {i.fault}" for group in groups for i in group.imports if not i.is_linkable)


def _import(name: str, extern: Any, wrong: Collection[tuple[str, ...]], describe: Describe) -> Import | None:
    if isinstance(extern, FuncType):
        return Import(name, ((name, describe(extern)),))
    if isinstance(extern, InstanceType):
        functions = tuple(_functions(extern, "", describe))
        fault = _fault(name, functions, wrong)
        return Import(name, functions, *fault) if functions or _has_resources(extern) else None
    if isinstance(extern, ModuleType | ComponentType):
        return Import(name, ((name, "a core module" if isinstance(extern, ModuleType) else "a component"),))
    return None


def _functions(instance: InstanceType, prefix: str, describe: Describe) -> Iterator[tuple[str, str]]:
    for name, extern in instance.exports.items():
        path = prefix + name  # the name itself where there is no prefix
        if isinstance(extern, FuncType):
            yield path, describe(extern)
        elif isinstance(extern, InstanceType):
            yield from _functions(extern, f"{path}#", describe)


def _has_resources(instance: InstanceType) -> bool:
    return any(getattr(extern, "fresh", False) for extern in instance.exports.values())


def _grant(i: Import) -> str | None:
    return grant_for(i.name) if is_offered(i.name) else None


def _fault(name: str, functions: Iterable[tuple[str, str]], wrong: Collection[tuple[str, ...]]) -> Fault:
    """What is wrong where the interface is one of ours: functions that it has with another type, which the runtime
    refuses to link, and those that it has not, which trap when they are called.
    """
    if not is_offered(name):
        return _NO_FAULT
    types = offered_types()[split_version(name)[0]].functions
    others = [f"{f} as {describe_func(types[f])}" for f, _ in functions if (name, f) in wrong]
    return _words_of_fault(others, [f for f, _ in functions if f not in types])


def _core_fault(module: str, items: Sequence[tuple[str, str]], *, has_types: bool) -> Fault:
    if not grants(PREVIEW_1[0], module):
        needs_types = interface_name(module) is not None and not has_types
        return ("it needs its types: give the entry the world as `wit`", True) if needs_types else _NO_FAULT
    have = {name: describe_core(type) for name, type in preview_1.SIGNATURES.items()}
    others = [f"{name} as {have[name]}" for name, words in items if have.get(name, words) != words]
    return _words_of_fault(others, [name for name, _ in items if name not in have])


def _words_of_fault(others: Sequence[str], lacking: Sequence[str]) -> Fault:
    """`others` are functions with the types that the interface has, which the import has not."""
    if others:
        return f"it can't be linked: the interface has {_some(others)}", False
    return (f"it has no {_some(lacking)}", True) if lacking else _NO_FAULT


def _some(words: Sequence[str], most: int = 5) -> str:
    return f"{', '.join(words[:most])}{' …' * (len(words) > most)}"


def _core_words(t: CoreExternType) -> str:
    if isinstance(t, CoreFuncType):
        return describe_core(t)
    return type(t).__name__.removeprefix("Core").removesuffix("Type").lower()
