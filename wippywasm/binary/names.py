"""Names of imports and exports: their grammar, and when two are too alike to stand side by side.

In: a name. Out: an `ExternName`, or `NameSyntaxError` with the reason. Scopes keep a `NameSet` each.

Spec: component-model `Explainer.md`, "Import and Export Definitions" (`externname`) and "Name Uniqueness".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# A fragment of digits only is word and acronym at once; matched one way, so that a bad ending costs no backtracking.
_CASED = r"(?:[a-z][0-9a-z]*|[A-Z][0-9A-Z]*)"
_LABEL = re.compile(rf"{_CASED}(?:-(?=[0-9A-Za-z])[0-9]*{_CASED}?)*\Z")
_WORDS = re.compile(r"[a-z][0-9a-z]*(?:-[0-9a-z]+)*\Z")
_NUMBER = r"(?:0|[1-9][0-9]*)"
_PRERELEASE_PART = r"(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
SEMVER = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}"
    rf"(?:-{_PRERELEASE_PART}(?:\.{_PRERELEASE_PART})*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?\Z",
    re.ASCII,
)
CANONICAL_VERSION = re.compile(r"(?:[1-9][0-9]*|0\.[1-9][0-9]*|0\.0\.[1-9][0-9]*|0\.0\.0)\Z", re.ASCII)
_ANNOTATION = re.compile(r"\[([a-z]*)\]")


class NameSyntaxError(ValueError):
    """A name that the grammar refuses."""


@dataclass(frozen=True)
class ExternName:
    """A parsed name. `kind` is `label`, `constructor`, `method`, `static` or `interface`."""

    kind: str
    text: str
    resource: str = ""
    """Of an annotated name: the label of its resource."""
    label: str = ""
    """Of a method or static function: its own label."""
    version: str = ""
    """Of an interface: what follows the `@`."""

    @property
    def key(self) -> str:
        """What must differ from other names' keys in the same scope."""
        if self.kind in ("method", "static"):
            same = self.resource.lower() == self.label.lower()
            return self.label.lower() if same else f"{self.resource}.{self.label}".lower()
        return self.text.lower()


def is_label(text: str) -> bool:
    """Is it a `label`: fragments of one case each, joined by hyphens, the first starting with a letter?"""
    return _LABEL.match(text) is not None


def check_label(text: str) -> str:
    if not is_label(text):
        raise NameSyntaxError(f"`{text}` is not in kebab case")
    return text


def parse_extern_name(text: str) -> ExternName:
    """A `plainname` or an `interfacename`."""
    annotation = _ANNOTATION.match(text)
    if annotation is not None:
        return _parse_annotated(text, annotation[1], text[annotation.end() :])
    if ":" in text:
        return parse_interface_name(text)
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


def parse_interface_name(text: str) -> ExternName:
    """`namespace:package/interface`, with a version or without."""
    namespace, _, rest = text.partition(":")
    _check_words(text, namespace)
    path, at, version = rest.partition("@")
    package, slash, projection = path.partition("/")
    if ":" in path:
        raise NameSyntaxError(f"expected `/` after package name in `{text}`: nested names are not enabled")
    _check_words(text, package)
    if not slash:
        raise NameSyntaxError(f"expected `/` after package name in `{text}`")
    label, nested, tail = projection.partition("/")
    if nested:
        raise NameSyntaxError(f"trailing characters found: `/{tail}` in `{text}`; nested names are not enabled")
    check_label(label)
    if at:
        _check_version(text, version)
    return ExternName("interface", text, version=version)


def _check_words(text: str, words: str) -> None:
    if not _WORDS.match(words):
        why = f"`{words}` has capitals" if is_label(words) else f"`{words}` is not in kebab case"
        raise NameSyntaxError(f"`{text}` is not a valid extern name: {why}")


def _check_version(text: str, version: str) -> None:
    if not SEMVER.match(version) and not CANONICAL_VERSION.match(version):
        raise NameSyntaxError(f"`{text}` has a version that is not a valid semver: `{version}`")


class NameSet:
    """The names of one scope, told apart as strongly as the specification asks."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.taken: dict[str, str] = {}

    def add(self, name: ExternName) -> None:
        """Take a name; `NameSyntaxError` where another is too much like it."""
        previous = self.taken.get(name.key)
        self.taken[name.key] = name.text
        if previous is not None:
            raise NameSyntaxError(f"{self.what} name `{name.text}` conflicts with previous name `{previous}`")
