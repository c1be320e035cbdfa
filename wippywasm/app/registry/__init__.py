"""The registry of a running app: entries that can be looked up and changed, in versions.

In: changes. Out: versions of the table of entries; a change that is refused leaves everything as it was.
Spec: SPEC section 2.
"""

from __future__ import annotations

from wippywasm.app.registry.changes import Changes, Operation, delta
from wippywasm.app.registry.registry import Registry
from wippywasm.app.registry.versions import Version

__all__ = ["Changes", "Operation", "Registry", "Version", "delta"]
