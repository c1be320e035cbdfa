"""A world as the files of a Python package.

In: a resolved world, and words on where it comes from. Out: texts by path within the package. The same world gives the
same texts.
"""

from __future__ import annotations

from collections.abc import Callable

from wippywasm.bindgen import exports, imports
from wippywasm.bindgen.import_lines import import_lines, in_order
from wippywasm.bindgen.modules import Module, Modules, check_size
from wippywasm.bindgen.text import Lines, long_string, string
from wippywasm.bindgen.types import write_aliases, write_classes, write_table
from wippywasm.bindgen.world_module import WORLD_NAMES, write_world
from wippywasm.wit import World, world_document

HEADER = "# Written by `"
"""How each source file begins."""
Write = Callable[[Module, Modules, Lines], None]


def generate(world: World, origin: str) -> dict[str, str]:
    """The files of the package, by path; `origin` is the command that made them, for the header of each.

    Raises InvalidError for what WIT has no words for, and TooLongError, which is one, where the world is too large, or
    its types share so many of their parts that the text would be out of proportion.
    """
    check_size(world)
    files = {
        "py.typed": "",
        "_wit.py": _file(f"The WIT of `{world.id}`.", origin, long_string("WIT", world_document(world))),
    }
    modules = Modules(world)
    for module in modules.interfaces:
        write = imports.write_interface if module.direction == "import" else exports.write_interface
        docs = f"The interface `{module.key}`, as `{world.id}` {module.direction}s it."
        files["/".join(module.path) + ".py"] = _module_file(module, modules, write, origin, docs)
    for side in dict.fromkeys(module.path[0] for module in modules.interfaces):
        files[f"{side}/__init__.py"] = _file(f"The interfaces that `{world.id}` {side}.", origin)
    docs = f"The world `{world.id}`: `instantiate` gives a `{modules.world.own_name}`."
    files["__init__.py"] = _module_file(modules.world, modules, write_world, origin, docs)
    return dict(sorted(files.items()))


def _module_file(module: Module, modules: Modules, write: Write, origin: str, docs: str) -> str:
    """Types, and what `write` adds for functions."""
    if module.docs and not (module.serves or module.direction == "world"):
        docs = f"{docs}\n\n{module.docs}"  # no class of the interface has them
    lines = Lines(modules.texts)
    write_classes(module, modules, lines)
    (exports if module.direction == "export" else imports).write_resources(module, modules, lines)
    write_aliases(module, modules, lines)
    write_table(module, lines)
    if module.serves or module.direction == "world":
        write(module, modules, lines)
    imported = Lines()
    for line in import_lines(module.used):
        imported.line(line)
    imported.gap()
    with imported.block("__all__ = [", "]"):
        for name in in_order([*module.defined, *(WORLD_NAMES if module.direction == "world" else ())]):
            imported.line(f"{string(name)},")
    body = f"{imported.text()}\n\n{lines.text()}"
    return _file(docs, origin, body)


def _file(docs: str, origin: str, body: str = "") -> str:
    head = Lines()
    head.line(f"{HEADER}{origin}`: changes are lost when that is run again.")
    head.docs(docs)
    return f"{head.text()}\n{body}" if body else head.text()
