"""Worlds to typed Python packages: `wippywasm bindgen`.

In: a resolved world. Out: source texts: classes for its types, methods for what it exports, protocols for what it
imports. They hold no logic: `instance.bindings` matches them with a component, `instance.bound_world` is their base.

    modules          which module has which type, under what name
    names, text, import_lines
                     identifiers, lines
    annotations      types as annotations
    types            records, variants, enums, flags, aliases
    exports, imports methods, protocols
    world_module     the package's `__init__`
    package          all files
    sources          the world in a file
"""

from wippywasm.bindgen.package import HEADER, generate

__all__ = ["HEADER", "generate"]
