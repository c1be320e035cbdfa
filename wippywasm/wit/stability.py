"""Gates: which items of a package are there at all.

In: attributes, or the gate that they became. Out: whether the item counts, for a version and a set of features.
Spec: `WIT.md`, "Feature Gates".
"""

from __future__ import annotations

from collections.abc import Sequence

from wippywasm.wit import syntax
from wippywasm.wit.names import Version
from wippywasm.wit.resolved import Package, Resolution, Stability
from wippywasm.wit.source import Refusal, Span


def stability_of(attributes: Sequence[syntax.Attribute]) -> Stability | None:
    """The gate that `attributes` spell, None if there is none. Refuses contradictions."""
    if not attributes:
        return None
    found: dict[str, syntax.Attribute] = {}
    for attribute in attributes:
        if attribute.name == "external-id":
            continue
        if attribute.name in found:
            raise Refusal(attribute.span, f"@{attribute.name} is given twice")
        found[attribute.name] = attribute
    since, unstable, deprecated = (found.get(name) for name in ("since", "unstable", "deprecated"))
    if since and unstable:
        raise Refusal(since.span, "an item is either @since or @unstable, not both")
    if deprecated and not since and not unstable:
        raise Refusal(deprecated.span, "@deprecated needs @since or @unstable beside it")
    if not since and not unstable:
        return None
    return Stability(_version(since), str(unstable.value) if unstable else None, _version(deprecated))


def _version(attribute: syntax.Attribute | None) -> Version | None:
    return attribute.value if attribute and isinstance(attribute.value, Version) else None


def external_id_of(attributes: Sequence[syntax.Attribute]) -> str | None:
    """The value of `@external-id`. Refuses a second one."""
    found = [a for a in attributes if a.name == "external-id"]
    if len(found) > 1:
        raise Refusal(found[1].span, "@external-id is given twice")
    return str(found[0].value) if found else None


def is_sayable(gate: Stability | None, package: Package) -> bool:
    """Whether an item of `package` may have this gate."""
    if gate is None or gate.since is None:
        return True
    version = package.name.version
    return version is not None and gate.since <= version


def is_enabled(gate: Stability | None, resolution: Resolution) -> bool:
    """Whether this gate is open: not one of a feature that is not enabled."""
    return gate is None or gate.feature is None or resolution.is_enabled(gate.feature)


def is_included(stability: Stability | None, resolution: Resolution, package: Package, span: Span | None) -> bool:
    """Whether an item of `package` behind this gate is part of the resolution. Refuses a gate of the future."""
    if stability is None or stability.since is None:
        return is_enabled(stability, resolution)
    if is_sayable(stability, package):
        return True
    if package.name.version is None:
        raise Refusal(span, f"package `{package.name}` has no version, so its items can't be @since one")
    raise Refusal(span, f"@since names {stability.since}, but package `{package.name}` is not that far yet")
