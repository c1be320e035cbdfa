"""The names by which core modules of ordinary toolchains import and export component-level things.

In: interface and function names. Out: module and field names of core imports, names of core exports.

Spec: the legacy naming of `wit-component`, which C, Rust, Go and others emit: an interface's full name is the import
module, `$root` stands for the world itself, `[export]` marks what belongs to an exported interface.
"""

from __future__ import annotations

from wippywasm.core import CoreFuncType

MEMORY = "memory"
REALLOCS = ("cabi_realloc", "canonical_abi_realloc", "realloc")
"""Allocators, the best known first; the last is C's own name too, for a function of another type."""
REALLOC_TYPE = CoreFuncType(("i32", "i32", "i32", "i32"), ("i32",))
INITIALIZE = "_initialize"
ROOT = "$root"
EXPORTED = "[export]"

DROP, NEW, REP = "[resource-drop]", "[resource-new]", "[resource-rep]"
BUILTINS = {DROP: "resource.drop", NEW: "resource.new", REP: "resource.rep"}


def import_module(interface: str) -> str:
    """The import module of an interface; the world's own functions have no interface name."""
    return interface or ROOT


def export_name(interface: str, function: str) -> str:
    """The core export behind an exported function."""
    return f"{interface}#{function}" if interface else function


def post_return_name(export: str) -> str:
    """The export that frees what the result of `export` holds."""
    return f"cabi_post_{export}"


def destructor_name(interface: str, resource: str) -> str:
    """The export that destroys a resource of an exported interface."""
    return export_name(interface, f"[dtor]{resource}")


def resource_builtin(name: str) -> tuple[str, str] | None:
    """(operation, resource name) for `[resource-drop]blob` and its like."""
    for prefix, operation in BUILTINS.items():
        if name.startswith(prefix):
            return operation, name[len(prefix) :]
    return None


def resource_function(name: str) -> tuple[str, str, str] | None:
    """(kind, resource, function) of `[method]blob.read`, `[static]blob.open` and `[constructor]blob`; else None."""
    kind, _, rest = name.removeprefix("[").partition("]")
    if not name.startswith("[") or kind not in ("constructor", "method", "static"):
        return None
    resource, _, function = rest.partition(".")
    return kind, resource, function
