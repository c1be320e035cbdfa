"""How the names of WIT and of Python meet, and which versions of an interface stand for one another.

In: names. Out: names, or the best of several candidates.

Spec: `Explainer.md` (import and export names, semver compatibility); SPEC section 5 (`snake_case` for `kebab-case`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from wippywasm.abi.keywords import snake as snake

_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?\Z")


def pascal(name: str) -> str:
    """The Python class name of a kebab-case one: `output-stream` is `OutputStream`."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("-"))


def split_version(name: str) -> tuple[str, str]:
    """`ns:pkg/iface@1.0.0` → (`ns:pkg/iface`, `1.0.0`); the version is empty where there is none."""
    base, _, version = name.partition("@")
    return base, version


def compatibility(version: str) -> str:
    """The part of a version that compatible versions share: `1` of 1.2.3, `0.2` of 0.2.3, all of a pre-release."""
    found = _VERSION.match(version)
    if not found or found[4]:
        return version
    if found[1] != "0":
        return found[1]
    return f"0.{found[2]}" if found[2] != "0" else f"0.0.{found[3]}"


def _order(name: str) -> tuple[int, ...]:
    found = _VERSION.match(split_version(name)[1])
    return tuple(int(found[i][:18]) for i in (1, 2, 3)) if found else ()


def newest(names: Iterable[str]) -> str:
    """The one of the highest version."""
    return max(names, key=_order)


def best_match(wanted: str, offered: Iterable[str]) -> str | None:
    """The offered name that serves `wanted`: itself, else its newest compatible version, else the name without one."""
    base, version = split_version(wanted)
    compatible: list[str] = []
    unversioned = None
    for name in offered:
        if name == wanted:
            return name
        have, have_version = split_version(name)
        if have != base:
            continue
        if not have_version:
            unversioned = name
        elif version and compatibility(have_version) == compatibility(version):
            compatible.append(name)
    return max(compatible, key=_order) if compatible else unversioned
