"""What names are made of: labels, words, versions.

In: a part of a name. Out: whether it is one. Spec: component-model `Explainer.md`, "Import and Export Definitions".
"""

from __future__ import annotations

import re

# No group repeats: each time round takes half a kilobyte of the matcher's, and a name may have 50,000 fragments.
_LABEL = re.compile(r"[A-Za-z][0-9A-Za-z-]*\Z")
_WORDS = re.compile(r"[a-z][0-9a-z-]*\Z")
_TWO_CASES = re.compile(r"[a-z][0-9]*[A-Z]|[A-Z][0-9]*[a-z]")
_NUMBER = r"(?:0|[1-9][0-9]*)"
_SEMVER = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?\Z",
)
_NO_IDENTIFIER = re.compile(r"\A[-+]\.|\.\.|\.\Z")
_LEADING_ZERO = re.compile(r"(?:\A-|\.)0[0-9]+(?:\.|\Z)")
CANONICAL_VERSION = re.compile(r"(?:[1-9][0-9]*|0\.[1-9][0-9]*|0\.0\.[1-9][0-9]*|0\.0\.0)\Z", re.ASCII)


class NameSyntaxError(ValueError):
    """A name that the grammar refuses."""


def is_label(text: str) -> bool:
    """Is it a `label`: fragments of one case each, joined by hyphens, the first starting with a letter?"""
    if _LABEL.match(text) is None or not _hyphens_join(text):
        return False
    return text.islower() or _TWO_CASES.search(text) is None


def _hyphens_join(text: str) -> bool:
    return "--" not in text and text[-1] != "-"


def check_label(text: str) -> str:
    if not is_label(text):
        raise NameSyntaxError(f"`{text}` is not in kebab case")
    return text


def is_words(text: str) -> bool:
    """Are they `words`: fragments of small letters and digits, joined by hyphens, the first starting with a letter?"""
    return _WORDS.match(text) is not None and _hyphens_join(text)


def is_semver(text: str) -> bool:
    """Is it a version of semver.org: three numbers, perhaps with a pre-release and with build metadata?"""
    found = _SEMVER.match(text)
    if found is None:
        return False
    prerelease, build = found[1] or "", found[2] or ""
    if _NO_IDENTIFIER.search(prerelease) or _NO_IDENTIFIER.search(build):
        return False
    return _LEADING_ZERO.search(prerelease) is None


def lowered(text: str) -> str:
    """What must differ from other names: small letters. The same object where it has no others, as nearly all names."""
    small = text.lower()
    return text if small == text else small


def without_hyphens(text: str) -> str:
    """The same under the revised rule."""
    return lowered(text.replace("-", ""))
