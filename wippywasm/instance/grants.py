"""Which `imports:` entry of a definition grants which import.

In: the name of an import as a module or component has it. Out: the entry to declare.

Spec: SPEC section 7.
"""

from __future__ import annotations

from wippywasm.instance.names import compatibility, split_version
from wippywasm.instance.offered import offered_types

PREVIEW_1 = ("wasi1", "wasi-preview1", "preview1", "wasi_snapshot_preview1")
"""The name of the preview 1 grant, then its aliases."""

_INTERFACES = {"wasi:io/poll": "wasi:poll", "wippy:runtime/funcs": "funcs"}
_PACKAGES = ("wasi:io", "wasi:clocks", "wasi:cli", "wasi:filesystem", "wasi:random", "wasi:sockets", "wasi:http")

_OF_GUESTS = ("wasi:cli/run", "wasi:http/incoming-handler")
"""Interfaces of those packages that guests export, so that only another guest or Python can serve an import of them."""

_VERSIONS = {"wippy:runtime": "0.1"}
"""The compatible versions of a package's interfaces that are served; of all others it is 0.2."""


def is_offered(import_name: str) -> bool:
    """Whether this runtime has a host for such imports, so that an entry can grant it."""
    base, version = split_version(import_name)
    if base in PREVIEW_1:
        return True
    if base not in offered_types() or base in _OF_GUESTS:
        return False
    package = base.partition("/")[0]
    return not version or compatibility(version) == _VERSIONS.get(package, "0.2")


def grant_for(import_name: str) -> str:
    """The shortest entry that grants `import_name`: `wasi:cli` for `wasi:cli/stdout@0.2.3`."""
    base, _ = split_version(import_name)
    if base in PREVIEW_1:
        return PREVIEW_1[0]
    if base in _INTERFACES:
        return _INTERFACES[base]
    package = base.partition("/")[0]
    return package if package in _PACKAGES else base


def grants(entry: str, import_name: str) -> bool:
    """Whether the `imports:` entry grants the import: it names it, its package, or its profile.

    A version in the entry is compared by compatibility nowhere: any 0.2 version of an interface is the same host's.
    """
    base, _ = split_version(import_name)
    wanted, _ = split_version(entry)
    if wanted in PREVIEW_1 or base in PREVIEW_1:
        return wanted in PREVIEW_1 and base in PREVIEW_1
    if wanted == "wasi:poll":
        return base == "wasi:io/poll"
    if wanted == "funcs":
        return base == "wippy:runtime/funcs"
    return base == wanted or base.startswith(f"{wanted}/")
