"""What a world imports, as protocols to implement.

In: a module with its names. Out: lines. A function may be `async def`; an implementation raises `WitError` for the
error of a result. A resource is any object with its methods; its constructor and static functions are those of the
class, which the interface has under the resource's name.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from wippywasm.bindgen.annotations import annotation
from wippywasm.bindgen.exports import outcome, with_error
from wippywasm.bindgen.modules import Module, Modules, plain_name
from wippywasm.bindgen.names import attribute_names, function_name
from wippywasm.bindgen.text import Lines
from wippywasm.wit import Function, TypeDef


def write_resources(module: Module, modules: Modules, lines: Lines) -> None:
    """A protocol for each resource, and one for the class of those that are made by it."""
    for t in module.types.values():
        if t.is_resource and module.is_own(t):
            with _protocol(module.names[t], module, lines):
                lines.docs(t.docs or f"An object of the resource `{t.name}`.")
                for f in module.methods(t, "method"):
                    _write_method(f, function_name(plain_name(f)), module, modules, lines)
            if t in module.makers:
                _write_maker(t, module, modules, lines)


def write_interface(module: Module, modules: Modules, lines: Lines) -> None:
    """The protocol of an imported interface."""
    with _protocol(module.own_name, module, lines):
        lines.docs(module.docs or f"Serves `{module.key}`.")
        for f in module.freestanding:
            _write_method(f, function_name(f.name), module, modules, lines)
        for t, maker in module.makers.items():
            lines.gap()
            lines.line("@property")
            lines.line(f"def {module.names[t]}(self) -> {maker}: ...")


def _write_maker(t: TypeDef, module: Module, modules: Modules, lines: Lines) -> None:
    with _protocol(module.makers[t], module, lines):
        lines.docs(f"The class of `{module.names[t]}`: its constructor and static functions.")
        for f in module.methods(t, "constructor"):
            _write_body(f"def __call__({_params(f, module, modules)}) -> {module.names[t]}:", f.docs, lines)
        for f in module.methods(t, "static"):
            _write_method(f, function_name(plain_name(f)), module, modules, lines)


def write_function_protocol(f: Function, name: str, module: Module, modules: Modules, lines: Lines) -> None:
    """A protocol for a function that the world itself imports."""
    with _protocol(name, module, lines):
        lines.docs(f.docs or f"Serves `{f.name}`.")
        _write_method(f, "__call__", module, modules, lines)


def _protocol(name: str, module: Module, lines: Lines) -> AbstractContextManager[None]:
    lines.gap(2)
    return lines.block(f"class {name}({module.use('typing', 'Protocol')}):")


def _params(f: Function, module: Module, modules: Modules) -> str:
    params = f.params[1:] if f.kind == "method" else f.params
    names = attribute_names([p.name for p in params], ())
    typed = [f"{n}: {annotation(p.type, module, modules)}" for n, p in zip(names, params)]
    return ", ".join(["self", *typed, *(["/"] if typed else [])])


def _write_method(f: Function, name: str, module: Module, modules: Modules, lines: Lines) -> None:
    result, error = outcome(f.result)
    value = annotation(result, module, modules)
    returned = f"{value} | {module.use('collections.abc', 'Awaitable')}[{value}]"
    docs = with_error(f.docs, error, "with a ")
    _write_body(f"def {name}({_params(f, module, modules)}) -> {returned}:", docs, lines)


def _write_body(head: str, docs: str | None, lines: Lines) -> None:
    """A method of a protocol, which has documentation or nothing inside."""
    lines.gap()
    if not docs:
        lines.line(f"{head} ...")
        return
    with lines.block(head):
        lines.docs(docs)
        lines.line("...")
