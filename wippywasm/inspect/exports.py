"""What a binary exports, and how each function is called.

In: the functions of a loaded component, the exports of a core module. Out: `ExportedFunction` with the very words for
the shell and for Python, and the exports that are no functions to call.

Spec: SPEC sections 3 (`method`), 5 and 13.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from wippywasm.abi.parts import contains, types_of
from wippywasm.app.json_values.text import dump_json
from wippywasm.app.json_values.to_json import value_to_json
from wippywasm.binary.component import ComponentType, InstanceType, ModuleType, TypeBound
from wippywasm.core import CoreExport, CoreExternType, CoreFuncType
from wippywasm.dataclass import dataclass
from wippywasm.inspect.model import ExportedFunction, OtherExport
from wippywasm.inspect.samples import sample_arguments
from wippywasm.instance.functions import exported_functions as planned_functions
from wippywasm.instance.names import pascal, snake, split_version
from wippywasm.model import BorrowType, FuncType, FutureType, OwnType, Prim, StreamType, ValType, structural_func
from wippywasm.plan import Plan
from wippywasm.plan.describe import describe_core
from wippywasm.plan.items import LiftRef
from wippywasm.plan.mangle import INITIALIZE, REALLOCS, resource_function

HANDLER = "wasi:http/incoming-handler"
RUN = "wasi:cli/run"
START = "_start"
_PARAMS_OF_COMPONENTIZE_PY = ("app-name", "symbols", "stub-wasi")
_LIVING = (OwnType, BorrowType, StreamType, FutureType)


@dataclass(frozen=True)
class _Usage:
    """What all functions of one type have in common. `shell` is None where there is no form, or none of a sane size."""

    type: FuncType
    has_form: bool
    shell: str | None
    python: Callable[[str], str]


def exported_types(plan: Plan) -> dict[str, FuncType]:
    """The type of every exported function, by its key."""
    return {
        key: (plan.lifts if isinstance(item, LiftRef) else plan.host_functions)[item.index].type
        for key, item in planned_functions(plan).items()
    }


def exported_functions(functions: Mapping[str, FuncType]) -> Iterator[ExportedFunction]:
    """Every function of a component, or of a core module by its signatures."""
    known: dict[FuncType, _Usage] = {}
    for key, declared in functions.items():
        if is_helper(key) or is_of_toolchain(key, declared):
            continue
        usage = known.get(declared) or known.setdefault(declared, _usage(structural_func(declared)))
        by_id = _why_not_by_id(key, usage)
        yield ExportedFunction(key, usage.type, None if by_id else usage.shell, usage.python, by_id)


def is_command(key: str) -> bool:
    """Whether a function is a program's: it runs once, from its start to its exit code."""
    interface, _, name = key.rpartition("#")
    return key == START or (name == "run" and split_version(interface)[0] == RUN)


def is_handler(key: str) -> bool:
    """Whether a function is the one that an HTTP server calls for each request."""
    return key.startswith(HANDLER) and split_version(key.rpartition("#")[0])[0] == HANDLER


def is_helper(name: str) -> bool:
    """Whether a core export is there for the runtime or the compiler, not for callers."""
    return name in (INITIALIZE, *REALLOCS) or name.startswith(("cabi_", "__", "asyncify_"))


def is_of_toolchain(key: str, type: FuncType) -> bool:
    """Whether a component's function was called when it was built, and is not for its users."""
    return key == "exports#init" and tuple(p.name for p in type.params) == _PARAMS_OF_COMPONENTIZE_PY


def other_exports(exports: Iterable[CoreExport], callable: Container[str]) -> Iterator[OtherExport]:
    """The exports of a core module that are not among the functions that can be called."""
    words = cache(_core_words)  # hundreds of thousands may be of one type
    for export in exports:
        helps = is_helper(export.name)
        if helps or export.name not in callable:
            yield OtherExport(export.name, words(export.type, helps))


def _core_words(type: CoreExternType, helps: bool) -> str:
    if isinstance(type, CoreFuncType):
        return f"core function {describe_core(type)}{', for the runtime' * helps}"
    return type.__class__.__name__.removeprefix("Core").removesuffix("Type").lower()


_SORTS: dict[type[object], str] = {
    ModuleType: "core module",
    ComponentType: "component",
    TypeBound: "type",
    InstanceType: "interface of types",
}


def other_component_exports(exports: Mapping[str, Any]) -> Iterator[OtherExport]:
    """The exports of a component that have no function for its users in them."""
    for name, extern in exports.items():
        inside = extern.exports.items() if isinstance(extern, InstanceType) else ()
        for inner, found in inside:
            if isinstance(found, FuncType) and is_of_toolchain(f"{name}#{inner}", found):
                yield OtherExport(f"{name}#{inner}", "function, for componentize-py when it built this")
        has_functions = isinstance(extern, InstanceType) and any(
            isinstance(e, FuncType | InstanceType) for e in extern.exports.values()
        )
        if not isinstance(extern, FuncType) and not has_functions:
            yield OtherExport(name, _SORTS.get(type(extern), "value"))


def _usage(type: FuncType) -> _Usage:
    values = sample_arguments(type)
    has_form = not contains(types_of(type), _is_living)
    shell = None if values is None or not has_form else _shell(type, values)
    words = ["…"] if values is None else [repr(value) for value in values]
    return _Usage(type, has_form, shell, lambda key: _python(key, words))


def _why_not_by_id(key: str, usage: _Usage) -> str | None:
    if not key:
        return "it has an empty name, which no `method` of an entry can be: call it from Python"
    if is_handler(key):
        return "it serves HTTP requests: 'wippywasm run' listens for them"
    if usage.type.is_async:
        return "it is an asynchronous function, which can't be called yet"
    if not usage.has_form:
        return "it takes or gives what has no JSON form, such as a resource: call it from Python"
    return None


def _is_living(t: ValType) -> bool:
    return isinstance(t, _LIVING) or (isinstance(t, Prim) and t.name == "error-context")


def _shell(type: FuncType, values: list[Any]) -> str:
    texts = [dump_json(value_to_json(p.type, value)) for p, value in zip(type.params, values, strict=True)]
    return " ".join(shlex.quote(text) for text in texts)


def _python(key: str, words: Sequence[str]) -> str:
    """One line of Python; `…` is for arguments that are too large to write down."""
    interface, _, name = key.rpartition("#")
    found = resource_function(name)
    if found is None:
        return f"guest.call({', '.join([repr(key), *words])})"
    kind, resource, function = found
    exports = f"guest.exports[{interface!r}]" if interface else "guest.exports"
    if kind == "method":
        return f"{snake(resource)}.{snake(function)}({', '.join(words[1:])})"
    member = f".{snake(function)}" if kind == "static" else ""
    return f"{exports}.{pascal(resource)}{member}({', '.join(words)})"
