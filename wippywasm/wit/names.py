"""Names: identifiers, versions, package names.

In: strings of a text or a binary. Out: checked, ordered values.
Spec: `WIT.md` (identifiers, package names), `Explainer.md` (import and export names), semver.org 2.0.
"""

from __future__ import annotations

import re
from functools import total_ordering

from wippywasm.dataclass import dataclass
from wippywasm.errors import InvalidError

_USUAL = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+){,20}\Z")
_PART = re.compile(r"(?:[a-z0-9]+|[A-Z0-9]+)\Z")
_SEMVER = re.compile(
    r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)"
    r"(?:-((?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*))?"
    r"(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?\Z"
)
_MAX_NUMBER = 2**64


def words(text: str) -> frozenset[str]:
    """The words of `text`."""
    return frozenset(text.split())


def shortened(text: str, limit: int = 60) -> str:
    """`text` for a message: names may be as long as a file."""
    return text if len(text) <= limit else f"{text[: limit - 20]}…{text[-19:]}"


def utf8(text: str) -> bytes:
    """The bytes of a text. Raises InvalidError for half of a surrogate pair, which only strings of Python have."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        words = ascii(text[max(error.start - 20, 0) : error.start + 1])
        raise InvalidError(f"{words} ends in half of a surrogate pair, which no file can hold") from None


def identifier_fault(name: str) -> str | None:
    """What is wrong with `name` as an identifier, or None."""
    if _USUAL.match(name):
        return None
    if not name:
        return "an identifier is missing here"
    if not name[0].isascii() or not (name[0].isalpha() or name[0] == "-"):
        return f"an identifier starts with a letter, not with {name[0]!r}"
    for part in name.split("-"):
        if not part:
            return f"`{shortened(name)}` has no characters on one side of a `-`"
        if not _PART.match(part):
            return f"`{shortened(name)}`: the words between `-` are all lower case or all upper case letters and digits"
    return None


def taken_fault(name: str, previous: str) -> str:
    """What is wrong with a name that is `previous` in some case of letters."""
    if previous == name:
        return f"`{name}` is defined more than once"
    return f"`{name}` and `{previous}` differ only in the case of letters"


def strong_name(name: str) -> str:
    """What has to differ between two names of one scope. Spec: `Explainer.md`, "Name Uniqueness"."""
    head, at, version = name.partition("@")
    name = head.lower() + at + version
    if not name.startswith("[") or name.startswith("[constructor]"):
        return name
    name = name.partition("]")[2]
    resource, _, function = name.partition(".")
    return resource if resource == function else name


class StrongNames:
    """The names of one scope."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def fault(self, name: str) -> str | None:
        """Adds `name`; what is wrong with it beside the others, or None."""
        strong = strong_name(name)
        other = self._names.get(strong)
        if other is None:
            self._names[strong] = name
            return None
        if other == name:
            return f"`{name}` is there twice"
        return f"`{name}` and `{other}` are too much alike to stand in one place"


@total_ordering
@dataclass(frozen=True)
class Version:
    """A semantic version; ordered by precedence, then by its build metadata."""

    major: int
    minor: int
    patch: int
    pre: str = ""
    build: str = ""

    @classmethod
    def parse(cls, text: str) -> Version:
        """`text` as a version. Raises ValueError."""
        found = _SEMVER.match(text)
        if not found:
            raise ValueError(f"`{shortened(text)}` is not a semantic version")
        major, minor, patch = (int(found[i]) if len(found[i]) <= 20 else _MAX_NUMBER for i in (1, 2, 3))
        if max(major, minor, patch) >= _MAX_NUMBER:
            raise ValueError(f"`{shortened(text)}` has a number beyond 64 bits")
        return cls(major, minor, patch, found[4] or "", found[5] or "")

    def __str__(self) -> str:
        text = f"{self.major}.{self.minor}.{self.patch}"
        return text + (f"-{self.pre}" if self.pre else "") + (f"+{self.build}" if self.build else "")

    def track(self) -> tuple[object, ...]:
        """What two versions share if one can stand for the other: all up to the first number that is not 0."""
        if self.pre:
            return (self.major, self.minor, self.patch, self.pre)
        if self.major:
            return (self.major,)
        return (0, self.minor) if self.minor else (0, 0, self.patch)

    def _key(self) -> tuple[object, ...]:
        return (self.major, self.minor, self.patch, not self.pre, _identifiers(self.pre), _identifiers(self.build))

    def __lt__(self, other: Version) -> bool:
        return self._key() < other._key()


def _identifiers(text: str) -> list[tuple[int, int, int, str]]:
    """What orders the parts of a pre-release or of build metadata, where zeros may lead a number."""
    parts = text.split(".") if text else []
    return [(0, int(p), len(p), "") if p.isdigit() and len(p) < 4000 else (1, 0, 0, p) for p in parts]


@total_ordering
@dataclass(frozen=True)
class PackageName:
    namespace: str
    name: str
    version: Version | None = None

    def __str__(self) -> str:
        return f"{self.namespace}:{self.name}" + (f"@{self.version}" if self.version else "")

    def item(self, name: str) -> str:
        """The full name of an interface or world of this package: `ns:pkg/name@1.0.0`."""
        return f"{self.namespace}:{self.name}/{name}" + (f"@{self.version}" if self.version else "")

    def __lt__(self, other: PackageName) -> bool:
        return self._key() < other._key()

    def _key(self) -> tuple[object, ...]:
        version = (self.version is not None, *(self.version._key() if self.version else ()))
        return (self.namespace, self.name, version)


_INTERFACE_NAME = re.compile(r"([^:/@]+):([^:/@]+)/([^:/@]+)(?:@(.+))?\Z")


def interface_name(text: str) -> tuple[PackageName, str] | None:
    """The package and name in `ns:pkg/name@1.0.0`; None for anything else."""
    found = _INTERFACE_NAME.match(text)
    if not found or any(identifier_fault(found[i]) for i in (1, 2, 3)):
        return None
    try:
        version = Version.parse(found[4]) if found[4] else None
    except ValueError:
        return None
    return PackageName(found[1], found[2], version), found[3]
