"""Several components to one: the exports of some plugged into the imports of another.

In: decoded components. Out: the bytes of a component that holds them all, imports what none of them supplies, and
exports what the first one does.

    wiring      which import is supplied by which export
    leftover    the imports that are left, merged
    writer      the bytes
    plugging    all of it, and the checks
    library     the same for whatever a user has of components

Spec: component-model `Binary.md`, `Explainer.md` (component definitions, subtyping, semver compatibility).
"""

from wippywasm.composition.library import compose, composed, part_of
from wippywasm.composition.wiring import Part

__all__ = ["Part", "compose", "composed", "part_of"]
