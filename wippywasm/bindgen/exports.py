"""What a guest exports, as classes with methods: for an interface, for its resources, and for the world.

In: a module with its names. Out: lines. Every function has two methods: one that calls, one for tasks, `…_async`.
A resource's class has its methods; its constructor and static functions, which need a guest to run in, are those of
another class, an object of which the interface has under the resource's name: `world.store.Bucket("name")`.
"""

from __future__ import annotations

from collections.abc import Callable

from wippywasm import model
from wippywasm.bindgen.annotations import annotation
from wippywasm.bindgen.modules import Module, Modules, plain_name
from wippywasm.bindgen.names import Pool, attribute_names, function_name
from wippywasm.bindgen.text import Lines, string
from wippywasm.model import ValType
from wippywasm.wit import Function, TypeDef, type_text

GUEST_RESOURCE = ("close", "closed")
BOUND_WORLD = ("close", "guest")
Call = Callable[[str, "list[str]"], str]
"""The expression that calls the guest: given `call` or `call_async`, and the arguments."""


def write_resources(module: Module, modules: Modules, lines: Lines) -> None:
    """The resources of an exported interface, each with the class that makes them."""
    for t in module.types.values():
        if t.is_resource and module.is_own(t):
            _write_resource(t, module, modules, lines)
            if t in module.makers:
                _write_maker(t, module, modules, lines)


def write_interface(module: Module, modules: Modules, lines: Lines) -> None:
    """The class with an exported interface's functions."""
    lines.gap(2)
    with lines.block(f"class {module.own_name}:"):
        lines.docs(module.docs or f"The exports of `{module.key}`.")
        lines.gap()
        pool = Pool()
        names = method_names(module.freestanding, pool)
        with lines.block(f"def __init__(self, guest: {module.use('wippywasm', 'Guest')}) -> None:"):
            lines.line("self._guest = guest")
            for t in module.makers:
                lines.line(f"self.{pool.take(module.names[t])} = {module.makers[t]}(guest)")
        for f in module.freestanding:
            write_methods(f, names[f.name], guest_call(f"{module.key}#{f.name}"), module, modules, lines)


def guest_call(key: str) -> Call:
    """Calls of an export by its key."""
    return lambda kind, args: f"self._guest.{kind}({', '.join([string(key), *args])})"


def method_names(functions: list[Function], pool: Pool) -> dict[str, tuple[str, str]]:
    """By WIT name: the method, and its twin for tasks, which makes way."""
    sync = {f.name: pool.take(function_name(plain_name(f))) for f in functions}
    return {name: (taken, pool.take(f"{taken.rstrip('_')}_async")) for name, taken in sync.items()}


def _write_resource(t: TypeDef, module: Module, modules: Modules, lines: Lines) -> None:
    methods = module.methods(t, "method")
    lines.gap(2)
    with lines.block(f"class {module.names[t]}({module.use('wippywasm', 'GuestResource')}):"):
        lines.docs(t.docs or f"The resource `{t.name}`, which lives in a guest.")
        lines.gap()
        lines.line("__slots__ = ()")
        names = method_names(methods, Pool(GUEST_RESOURCE))
        for f in methods:
            key = function_name(plain_name(f))

            def call(kind: str, args: list[str], key: str = key) -> str:
                return f"self._{kind}({', '.join([string(key), *args])})"

            write_methods(f, names[f.name], call, module, modules, lines)


def _write_maker(t: TypeDef, module: Module, modules: Modules, lines: Lines) -> None:
    constructors, statics = module.methods(t, "constructor"), module.methods(t, "static")
    lines.gap(2)
    with lines.block(f"class {module.makers[t]}:"):
        lines.docs(f"Makes `{module.names[t]}` in one guest: its constructor and static functions.")
        lines.gap()
        with lines.block(f"def __init__(self, guest: {module.use('wippywasm', 'Guest')}) -> None:"):
            lines.line("self._guest = guest")
        names = method_names(statics, Pool(("new_async",)))
        for f in constructors:
            write_methods(f, ("__call__", "new_async"), guest_call(f"{module.key}#{f.name}"), module, modules, lines)
        for f in statics:
            write_methods(f, names[f.name], guest_call(f"{module.key}#{f.name}"), module, modules, lines)


def write_methods(
    f: Function, names: tuple[str, str], call: Call, module: Module, modules: Modules, lines: Lines
) -> None:
    """The method that calls a function, and the one for tasks."""
    params = f.params[1:] if f.kind == "method" else f.params
    arguments = attribute_names([p.name for p in params], ())
    typed = [f"{a}: {annotation(p.type, module, modules)}" for a, p in zip(arguments, params)]
    result, error = outcome(f.result)
    returned = annotation(result, module, modules)
    docs = with_error(f.docs, error, "with the guest's ")
    for name, word, kind in zip(names, ("", "async "), ("call", "call_async")):
        lines.gap()
        with lines.block(f"{word}def {name}({', '.join(['self', *typed])}) -> {returned}:"):
            lines.docs(docs if not word else f"`{names[0]}` for tasks: while the guest waits, the event loop goes on.")
            value = ("await " if word else "") + call(kind, arguments)
            if returned == "None":
                lines.line(value)
            else:
                lines.line(f"result: {returned} = {value}")
                lines.line("return result")


def with_error(docs: str | None, error: str | None, words: str) -> str | None:
    """Documentation that says what a result's error becomes."""
    if error is None:
        return docs
    payload = f" {words}`{error}`" if error else ""
    return f"{docs or ''}\n\nRaises WitError{payload}.".strip()


def outcome(result: ValType | None) -> tuple[ValType | None, str | None]:
    """What a function returns in Python, and the text of its error's type: None where there is no result."""
    kind = behind(result)
    if not isinstance(kind, model.ResultType):
        return result, None
    return kind.ok, "" if kind.err is None else type_text(kind.err)


def behind(t: ValType | None) -> object:
    """The type behind a name."""
    return t.root.kind if isinstance(t, TypeDef) else t
