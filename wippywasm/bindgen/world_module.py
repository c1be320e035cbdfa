"""The module of the world: its class, the imports it takes, and `instantiate`.

In: all modules with their names. Out: lines.
"""

from __future__ import annotations

from wippywasm.bindgen.exports import guest_call, method_names, write_methods
from wippywasm.bindgen.imports import write_function_protocol
from wippywasm.bindgen.modules import Module, Modules
from wippywasm.bindgen.names import Pool, class_name
from wippywasm.bindgen.text import Lines, string

BOUND_WORLD = ("close", "guest")
"""What the base of a world's class has."""

WORLD_NAMES = ("BINDINGS", "Imports", "instantiate")


def write_world(module: Module, modules: Modules, lines: Lines) -> None:
    """All that stands behind the world's own types."""
    _write_imports(module, modules, lines)
    _write_class(module, modules, lines)
    _write_bindings(module, modules, lines)
    _write_instantiate(module, lines)


def _imported(module: Module, modules: Modules, home: Module, name: str, *wanted: str) -> str:
    """Import what an interface's module defines; its name here."""
    local = module.pool.take(*wanted)
    modules.import_class(module, home, name, local)
    return local


def _write_imports(module: Module, modules: Modules, lines: Lines) -> None:
    entries = []
    for m in modules.imports:
        if m.serves:
            side = class_name(f"imported-{'-'.join(m.path[1:]).strip('_').replace('_', '-')}")
            entries.append((m.key, _imported(module, modules, m, m.own_name, m.own_name, side)))
    for f in modules.imported:
        if f.kind == "freestanding":
            name = module.pool.take(f"{class_name(f.name)}Function")
            write_function_protocol(f, name, module, modules, lines)
            entries.append((f.name, name))
    entries += [(t.name or "", maker) for t, maker in module.makers.items()]
    lines.gap(2)
    typed = module.use("typing", "TypedDict")
    if not entries:
        lines.line(f'Imports = {typed}("Imports", {{}}, total=False)')
    else:
        with lines.block(f"Imports = {typed}(", ")"):
            lines.line('"Imports",')
            with lines.block("{", "},"):
                for key, name in entries:
                    lines.line(f"{string(key)}: {name},")
            lines.line("total=False,")
    lines.docs("What may be given for the world's imports, by their names.")


def _write_class(module: Module, modules: Modules, lines: Lines) -> None:
    pool = Pool(BOUND_WORLD)
    names = method_names(modules.exported, pool)
    served = [m for m in modules.exports if m.serves]
    classes = [_imported(module, modules, m, m.own_name, m.own_name, f"{m.own_name}Exports") for m in served]
    lines.gap(2)
    with lines.block(f"class {module.own_name}({module.use('wippywasm', 'BoundWorld')}):"):
        lines.docs(module.docs or "A guest, with what it exports.")
        if served:
            lines.gap()
            with lines.block(f"def __init__(self, guest: {module.use('wippywasm', 'Guest')}) -> None:"):
                lines.line("super().__init__(guest)")
                for m, name in zip(served, classes):
                    attribute = pool.take(m.path[-1], f"{m.path[-1].rstrip('_')}_exports")
                    lines.line(f"self.{attribute} = {name}(guest)")
        for f in modules.exported:
            write_methods(f, names[f.name], guest_call(f.name), module, modules, lines)


def _write_bindings(module: Module, modules: Modules, lines: Lines) -> None:
    tables = [(m.direction, m.key, m) for m in modules.interfaces if m.has_table]
    module.use("._wit", "WIT")
    entries = ['("world", ""): TYPES,']
    for direction, key, m in tables:
        name = _imported(module, modules, m, "TYPES", f"{'_'.join(m.path)}_types")
        entries.append(f"({string(direction)}, {string(key)}): {name},")
    lines.gap(2)
    with lines.block(f"BINDINGS = {module.use('wippywasm', 'Bindings')}(", ")"):
        lines.line("WIT,")
        with lines.block("{", "},"):
            for entry in entries:
                lines.line(entry)


def _write_instantiate(module: Module, lines: Lines) -> None:
    for name in ("Limits", "Program", "Undeclared", "Wasi", "instantiate_bound"):
        module.use("wippywasm", name)
    lines.gap(2)
    with lines.block("def instantiate(", f") -> {module.own_name}:"):
        for parameter in (
            "program: Program",
            "imports: Imports | None = None",
            "*",
            "wasi: Wasi | None = None",
            'undeclared: Undeclared = "refuse"',
            "limits: Limits | None = None",
            f"engine: {module.builtin('str')} | None = None",
        ):
            lines.line(f"{parameter},")
    with lines.indented():
        lines.docs(
            "A new guest of a component or core module: its path, its bytes, or what `wippywasm.load` gave.\n\n"
            "The rest is as for `wippywasm.load` and `Component.instantiate`."
        )
        given = "wasi=wasi, undeclared=undeclared, limits=limits, engine=engine"
        lines.line(f"return {module.own_name}(instantiate_bound(BINDINGS, program, imports, {given}))")
