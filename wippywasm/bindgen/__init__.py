"""Worlds to typed Python packages: `wippywasm bindgen`.

In: a resolved world. Out: source texts: classes for its types, methods for what it exports, protocols for what it
imports. They hold no logic: `instance.bindings` matches them with a component, `instance.bound_world` is their base.

    modules          which module has which type, under what name
    names, text      identifiers, lines
    annotations      types as annotations
    types            records, variants, enums, flags, aliases
    exports, imports methods, protocols
    world_module     the package's `__init__`
    world            the WIT of one world
    package          all files
"""

from wippywasm.bindgen.package import generate

__all__ = ["generate"]
