"""What names are made of: labels, words, versions.

In: a part of a name. Out: whether it is one. Spec: component-model `Explainer.md`, "Import and Export Definitions".
"""

from __future__ import annotations

import re

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


class NameSyntaxError(ValueError):
    """A name that the grammar refuses."""


def is_label(text: str) -> bool:
    """Is it a `label`: fragments of one case each, joined by hyphens, the first starting with a letter?"""
    return _LABEL.match(text) is not None


def check_label(text: str) -> str:
    if not is_label(text):
        raise NameSyntaxError(f"`{text}` is not in kebab case")
    return text


def is_words(text: str) -> bool:
    """Are they `words`: fragments of small letters and digits, joined by hyphens, the first starting with a letter?"""
    return _WORDS.match(text) is not None
