"""Names of imports and exports: their grammar, and when two are too alike to stand side by side.

In: a name. Out: an `ExternName`, or `NameSyntaxError` with the reason. Scopes keep a `NameSet` each.

Spec: component-model `Explainer.md`, "Import and Export Definitions" (`externname`) and "Name Uniqueness".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from wippywasm.binary import features as gates
from wippywasm.binary.dependency_names import check_dependency_name, kind_of
from wippywasm.binary.name_parts import (
    CANONICAL_VERSION,
    NameSyntaxError,
    check_label,
    is_label,
    is_semver,
    is_words,
    lowered,
)

_ANNOTATION = re.compile(r"\[([a-z]*)\]")


class ExternName(NamedTuple):
    """A parsed name: `label`, `constructor`, `method`, `static`, `interface`, or `dependency`, `url`, `hash`."""

    kind: str
    text: str
    resource: str = ""
    """Of an annotated name: the label of its resource."""
    label: str = ""
    """Of a method or static function: its own label."""
    version: str = ""
    """Of an interface: what follows the `@`."""

    def key(self, unique: Callable[[str], str]) -> str:
        """What must differ from other names' keys in the same scope; `unique` is that of a label.

        Versions, and where a dependency is found, count as they are.
        """
        if self.kind in ("method", "static"):
            resource, label = unique(self.resource), unique(self.label)
            return label if resource == label else f"{resource}.{label}"
        if self.version:
            name, at, version = self.text.partition("@")
            return unique(name) + at + version
        return self.text if self.is_dependency else unique(self.text)

    @property
    def is_dependency(self) -> bool:
        """Does it say where an implementation is, as only imports do?"""
        return self.kind in ("dependency", "url", "hash")


def parse_extern_name(text: str, features: gates.Features = gates.DEFAULT) -> ExternName:
    """A `plainname` or an `interfacename`, or an import's name that says where to find it."""
    annotation = _ANNOTATION.match(text)
    if annotation is not None:
        return _parse_annotated(text, annotation[1], text[annotation.end() :])
    kind = kind_of(text) if gates.DEPENDENCY_NAMES in features else None
    if kind is not None:
        check_dependency_name(text)
        return ExternName(kind, text)
    if ":" in text:
        return parse_interface_name(text, features)
    if not is_label(text):
        raise NameSyntaxError(f"`{text}` is not a valid extern name: `{text}` is not in kebab case")
    return ExternName("label", text)


def _parse_annotated(text: str, annotation: str, rest: str) -> ExternName:
    if annotation == "constructor":
        return ExternName("constructor", text, resource=check_label(rest))
    if annotation not in ("method", "static"):
        raise NameSyntaxError(f"`{text}` is not in kebab case: there is no annotation `[{annotation}]`")
    resource, dot, label = rest.partition(".")
    if not dot:
        raise NameSyntaxError(f"failed to find `.` character in `{text}`")
    return ExternName(annotation, text, resource=check_label(resource), label=check_label(label))


def parse_interface_name(text: str, features: gates.Features = gates.DEFAULT) -> ExternName:
    """`namespace:package/interface`, with a version or without; longer paths where nested names are enabled."""
    path, at, version = text.partition("@")
    package, *projections = path.split("/")
    namespace, _, name = package.partition(":")
    nested = gates.NESTED_NAMES in features
    names = [namespace, *(name.split(":") if nested else [name])]
    if ":" in names[-1]:
        raise NameSyntaxError(f"expected `/` after package name in `{text}`: nested names are not enabled")
    for words in names:
        _check_words(text, words)
    if not projections:
        raise NameSyntaxError(f"expected `/` after package name in `{text}`")
    if len(projections) > 1 and not nested:
        tail = "/".join(projections[1:])
        raise NameSyntaxError(f"trailing characters found: `/{tail}` in `{text}`; nested names are not enabled")
    for label in projections:
        check_label(label)
    if at:
        _check_version(text, version, features)
    return ExternName("interface", text, version=version)


def _check_words(text: str, words: str) -> None:
    if not is_words(words):
        why = f"`{words}` has capitals" if is_label(words) else f"`{words}` is not in kebab case"
        raise NameSyntaxError(f"`{text}` is not a valid extern name: {why}")


def _check_version(text: str, version: str, features: gates.Features) -> None:
    canonical = gates.CANONICAL_NAMES in features and CANONICAL_VERSION.match(version)
    if not canonical and not is_semver(version):
        raise NameSyntaxError(f"`{text}` has a version that is not a valid semver: `{version}`")


class NameSet:
    """The names of one scope, told apart as strongly as the specification asks."""

    def __init__(self, what: str, unique: Callable[[str], str] = lowered) -> None:
        self.what = what
        self.unique = unique
        self.taken: dict[str, str] = {}

    def add(self, name: ExternName) -> None:
        """Take a name; `NameSyntaxError` where another is too much like it."""
        key = name.key(self.unique)
        previous = self.taken.get(key)
        self.taken[key] = name.text
        if previous is not None:
            raise NameSyntaxError(f"{self.what} name `{name.text}` conflicts with previous name `{previous}`")
