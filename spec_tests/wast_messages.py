"""Expected messages → ours.

In: the message that a vector expects, the one that we gave. Out: whether they mean the same. They do where ours
contains the expected one, or where a table says which of our words stand for theirs: `EQUIVALENT` for whole kinds of
messages, of which a vector often has only a part, and `PATTERNS` where the names in them have to be the same ones.
The expected words are those of the reference validator and runtime, from which the vectors that exist take them.
"""

from __future__ import annotations

import re

from spec_tests.wast_equivalents import EQUIVALENT, EQUIVALENT_OF_TEXT

PATTERNS: tuple[tuple[str, str], ...] = (
    # expected, as a whole                                     ours, somewhere in the message
    (r"invalid leading byte (\(0x[0-9a-f]+\)) for .*", r"invalid leading byte \1"),
    (r"duplicate '(\S+)' option in name", r"`\1` is given more than once"),
    (r"unknown (module|tag)( \d+.*)?", r"unknown core \1"),
    (r"export `(\w+)` for core instance (\d+) is not a (\w+)", r"export `\1` of core instance \2 is not a core \3"),
    (
        r"canonical encoding option `(.*)` conflicts with option `latin1-utf16`",
        r"`\1` conflicts with .*`latin1\+utf16`",
    ),
    (r"lowered (parameter|result) types .*", r"lowered \1 types do not match"),
    (r"expected (\w+), found tuple", r"expected primitive, found tuple"),
    (r"`(.*)` requires the component model .* feature", r"`\1` needs the feature"),
    (
        r"component imports instance `(.*)`, but a matching implementation was not found.*",
        r"import '\1(?:#|'.* instance)",
    ),
    (r"component imports (?!instance)\w+ `(.*)`, but a matching implementation was not found.*", r"import '\1'"),
    (r"instance export `(.*)` has the wrong type", r"import '\S*#\1'"),
    (r"(?:instance export|module export) `(.*)` not defined", r"missing expected export `\1`|'\S*#\1'"),
    (r"module export `(.*)` has the wrong type", r"type mismatch in export `\1`"),
    (r"export `(.*)` has the wrong type", r"type mismatch in export `\1`"),
    (r"expected type `(.*)`, found type `(.*)`", r"expected: \1, found: \2"),
    (r"found: +(\(func.*\))", r"found: \1"),
    (r"expected (func|table|memory|global) found (func|table|memory|global)", r"expected \1, found \2"),
    (r"(?:\w+ )?index out of bounds", r"^`` is not a valid extern name"),
    (r"module import `(.*)` not defined", r"missing expected import `\1`"),
    (r"module import `(.*)` has the wrong type", r"type mismatch in import `\1`"),
    (
        r"(invalid interface version: )?(unexpected (char|end)|empty|invalid leading zero|value of \w+ version).*",
        r"is not a valid semver",
    ),
    (r"un(?:known|supported) (?:binary|component) version:.*", r"unknown binary version"),
    (r"(?:wasm trap: )?wasm `(\w+)` instruction executed", r"\1"),
    (r"wasm trap: (.*)", r"\1"),
)

_QUOTED = re.compile(r"`[^`]*`")
_OFFSET = re.compile(r" \(at offset 0x[0-9a-f]+\)$")
_BEFORE = re.compile(r"^(?:the guest trapped|line \d+, column \d+): ")
"""What we put before a reason. Like an offset it is in messages of every kind, and says nothing of theirs."""
_NUMBER = re.compile(r"\b0x[0-9a-f]+\b|\b\d+\b")
_WORD = re.compile(r"[a-z]{4,}")
SHORTEST = 5
"""A part of a message that is shorter says nothing."""


def same_meaning(expected: str, actual: str) -> bool:
    """Does our message say what the vector expects?"""
    expected, actual = _OFFSET.sub("", expected), _BEFORE.sub("", _OFFSET.sub("", actual))
    if _says(expected, actual):
        return True
    for theirs, ours in PATTERNS:
        found = re.fullmatch(theirs, expected)
        if found is not None and re.search(_filled(ours, found), actual):
            return True
    theirs_is, ours_is = kind_of(expected), kind_of(actual)
    return any(_is_part(theirs_is, theirs) and any(words in ours_is for words in ours) for theirs, *ours in EQUIVALENT)


def _says(expected: str, actual: str) -> bool:
    """Are the words in our message? A few letters are in any, so short ones have to be whole words."""
    if not expected or len(expected) >= SHORTEST:
        return _begins_word(expected, actual)
    return re.search(rf"(?<!\w){re.escape(expected)}(?!\w)", actual) is not None


def _begins_word(part: str, message: str) -> bool:
    """Is it in the message, from the beginning of a word on?"""
    return re.search(rf"(?<!\w){re.escape(part)}", message) is not None


def same_refusal_of_text(expected: str, actual: str) -> bool:
    """Does the text parser say what the vector expects of malformed text?"""
    said, wanted = kind_of(_BEFORE.sub("", actual)), kind_of(expected)
    return same_meaning(expected, actual) or any(
        _is_part(wanted, theirs) and said.startswith(tuple(ours)) for theirs, *ours in EQUIVALENT_OF_TEXT
    )


def _filled(ours: str, found: re.Match[str]) -> str:
    """Our pattern, with what the expected message says in place of `\\1` and so on."""
    return re.sub(r"\\(\d)", lambda group: re.escape(found[int(group[1])] or ""), ours)


def _is_part(expected: str, theirs: str) -> bool:
    """Is it a kind of message, its beginning, or so much of one that it says something?

    A single word is in messages of many kinds, and so is what has but one word of its own, as `_ is not valid`.
    """
    if expected == theirs:
        return True
    if len(expected) < SHORTEST or " " not in expected.strip():
        return False
    return theirs.startswith(expected) or (len(_WORD.findall(expected)) > 1 and _begins_word(expected, theirs))


def kind_of(message: str) -> str:
    """A message without what differs from case to case: `_` for what is quoted, N for numbers."""
    return _NUMBER.sub("N", _QUOTED.sub("_", message))


LIMITS_OF_OTHERS = (
    "root-level component imports are not supported",
    "exporting a component from the root component is not supported",
    "unsupported type export",
    "component export _ is a reexport of an imported function which is not implemented",
    "effective type size exceeds the limit",
    "component cannot have more than one start function",
    "immediate must be zero: N",
    "exceptions proposal not enabled",
    "SIMD support is not enabled",
    "reference types support is not enabled",
)
"""What another runtime refuses because it does not have it, or has it turned off; the specification has it."""


WORDS_OF_A_LIMIT = 3
"""Fewer may be words of a rule, as `component imports`."""


def not_a_rule(expected: str) -> str | None:
    """The reason to skip a refusal that no specification asks for."""
    kind = kind_of(expected)
    enough = len(_WORD.findall(kind)) >= WORDS_OF_A_LIMIT
    if kind in LIMITS_OF_OTHERS or (enough and any(_begins_word(kind, limit) for limit in LIMITS_OF_OTHERS)):
        return f"a limit of another runtime, which is none here: {expected}"
    return None
