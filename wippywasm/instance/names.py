"""How the names of WIT and of Python meet, and which versions of an interface stand for one another.

In: names. Out: names, or the best of several candidates.

Spec: `Explainer.md` (import and export names, canonical interface names); SPEC section 5 (`snake_case`).
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from typing import Any

from wippywasm.abi.keywords import snake as snake

_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?\Z")


def pascal(name: str) -> str:
    """The Python class name of a kebab-case one: `output-stream` is `OutputStream`."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("-"))


def split_version(name: str) -> tuple[str, str]:
    """`ns:pkg/iface@1.0.0` → (`ns:pkg/iface`, `1.0.0`); the version is empty where there is none."""
    base, _, version = name.partition("@")
    return base, version


def canonical(version: str) -> str:
    """The `canonversion` of a version: `1` of 1.2.3, `0.2` of 0.2.6-rc.1, `0.0.1` of 0.0.1-alpha; of one, itself."""
    found = _VERSION.match(version)
    if not found:
        return version
    if found[1] != "0":
        return found[1]
    return f"0.{found[2]}" if found[2] != "0" else f"0.0.{found[3]}"


def compatibility(version: str) -> str:
    """The part of a version that whole compatible versions share: the canonical one, all of a pre-release."""
    found = _VERSION.match(version)
    return version if found and found[4] else canonical(version)


def compatible(a: str, b: str) -> bool:
    """Whether one version may stand for the other: a pre-release for itself and for its canonical version only."""
    return compatibility(a) == compatibility(b) or canonical(a) == canonical(b) in (a, b)


def _order(name: str) -> tuple[Any, ...]:
    """Sorts names by version; behind every release comes every pre-release."""
    found = _VERSION.match(split_version(name)[1])
    if not found:
        return (0,)
    numbers = tuple(_number(found[i]) for i in (1, 2, 3))
    if not found[4]:
        return 2, numbers
    return 1, numbers, [(0, _number(i), "") if i.isdecimal() else (1, 0, i) for i in found[4][1:].split(".")]


def _number(digits: str) -> int:
    return int(digits[:18])


def newest(names: Iterable[str]) -> str:
    """The one of the highest version."""
    return max(names, key=_order)


def best_match(wanted: str, offered: Iterable[str]) -> str | None:
    """The offered name that serves `wanted`: itself, else its newest compatible version, else the name without one."""
    if isinstance(offered, Container) and wanted in offered:  # thousands may be asked for
        return wanted
    base, version = split_version(wanted)
    serving: list[str] = []
    unversioned = None
    for name in offered:
        if name == wanted:
            return name
        have, have_version = split_version(name)
        if have != base:
            continue
        if not have_version:
            unversioned = name
        elif version and compatible(have_version, version):
            serving.append(name)
    return newest(serving) if serving else unversioned
