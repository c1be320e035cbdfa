"""Names of imports that say where an implementation is to be found: packages, URLs, hashes.

In: a name that starts like one. Out: its kind, or `NameSyntaxError` with the reason. The specification has left them
out for now; tools write and read them all the same, and an import of such a name is linked like any other.

Spec: component-model `Explainer.md`, as of 2023 to 2025 (`depname`, `urlname`, `hashname`); semver.org; W3C
`Subresource Integrity` (integrity metadata).
"""

from __future__ import annotations

import re

from wippywasm.binary.name_parts import NameSyntaxError, is_label, is_semver, is_words

STARTS = {
    "unlocked-dep=": "dependency",
    "locked-dep=": "dependency",
    "url=": "url",
    "integrity=": "hash",
}
_ANY_START = tuple(STARTS)
_BRACKETS = re.compile(r"<([^>]*)>")
_QUERY_BRACKETS = re.compile(r"<([^>{]*(?:\{[^}]*\})?)>")
_HASH = re.compile(r"(sha256|sha384|sha512)?(-)?([^?]*)(?:\?.*)?\Z", re.DOTALL)
_BASE64 = re.compile(r"[0-9A-Za-z+/]+={0,2}\Z")


def kind_of(text: str) -> str | None:
    """`dependency`, `url` or `hash` where a name starts as one of them."""
    if not text.startswith(_ANY_START):  # as nearly all names
        return None
    return next(kind for start, kind in STARTS.items() if text.startswith(start))


def check_dependency_name(text: str) -> None:
    """`NameSyntaxError` where a name of one of these kinds breaks its grammar."""
    start = next(start for start in STARTS if text.startswith(start))
    inner, rest = _bracketed(text, text[len(start) :])
    match start:
        case "unlocked-dep=":
            _check_query(text, inner)
        case "locked-dep=":
            path, at, version = inner.partition("@")
            _check_path(text, path)
            _check_version(version if at else "0.0.0")
        case "url=" if "<" in inner:
            raise NameSyntaxError(f"the url cannot contain `<`: `{text}`")
        case "integrity=":
            _check_integrity(inner)
    if rest and start in ("locked-dep=", "url="):
        rest = _after_hash(text, rest)
    if rest:
        raise NameSyntaxError(f"trailing characters found: `{rest}`")


def _bracketed(text: str, rest: str) -> tuple[str, str]:
    """What stands in angle brackets, and what follows them."""
    found = (_QUERY_BRACKETS.match(rest) if text.startswith("unlocked-dep=") else None) or _BRACKETS.match(rest)
    if found is None:
        missing = "failed to find `>` character" if rest.startswith("<") else f"expected `<` at `{rest}`"
        raise NameSyntaxError(f"{missing} in `{text}`")
    return found[1], rest[found.end() :]


def _after_hash(text: str, rest: str) -> str:
    if not rest.startswith(",integrity="):
        return rest
    metadata, rest = _bracketed(text, rest.removeprefix(",integrity="))
    _check_integrity(metadata)
    return rest


def _check_path(text: str, path: str) -> None:
    """`namespace:package`, perhaps with `/projection`."""
    package, slash, projection = path.partition("/")
    namespace, colon, name = package.partition(":")
    if not colon:
        raise NameSyntaxError(f"expected `:` at `{path[len(namespace) :]}` in `{text}`")
    for words in (namespace, name):
        if not is_words(words):
            why = "has capitals" if is_label(words) else "is not in kebab case"
            raise NameSyntaxError(f"`{words}` {why} in `{text}`")
    if slash and not is_label(projection):
        raise NameSyntaxError(f"`{projection}` is not in kebab case in `{text}`")


def _check_query(text: str, query: str) -> None:
    path, at, versions = query.partition("@")
    _check_path(text, path)
    if not at or versions == "*":
        return
    if not (versions.startswith("{") and versions.endswith("}")):
        raise NameSyntaxError(f"expected `{{` at `{versions}` in `{text}`")
    _check_range(versions[1:-1])


def _check_range(range: str) -> None:
    """`>=lower`, `<upper`, or both with a space between them."""
    if range == "*":
        return
    lower, space, upper = range.partition(" ") if range.startswith(">=") else ("", " ", range)
    if lower:
        _check_version(lower.removeprefix(">="))
    if not space:
        return
    if not upper.startswith("<"):
        bounds = "`<` at start of version range upper bounds" if lower else "`>=` or `<` at start of version range"
        raise NameSyntaxError(f"expected {bounds}: `{range}`")
    _check_version(upper.removeprefix("<"))


def _check_version(version: str) -> None:
    if not is_semver(version):
        raise NameSyntaxError(f"`{version}` is not a valid semver")


def _check_integrity(metadata: str) -> None:
    """Hashes with white space between them, each `algorithm-base64`, with options after a `?`."""
    hashes = metadata.split()
    if not hashes:
        raise NameSyntaxError("the integrity hash cannot be empty")
    for text in hashes:
        found = _HASH.match(text)
        assert found is not None
        if found[1] is None:
            raise NameSyntaxError(f"unrecognized hash algorithm: `{text}`")
        if found[2] is None:
            raise NameSyntaxError(f"expected `-` after hash algorithm: {text}")
        if not _BASE64.match(found[3]):
            raise NameSyntaxError(f"not valid base64: `{found[3]}`")
