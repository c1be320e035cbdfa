"""Keywords for texts.

In: a keyword of a schema. Out: its check. Spec: JSON Schema 2020-12, validation sections 6.3 and 7.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from wippywasm.app.json_schema.formats import FORMATS
from wippywasm.app.json_schema.problems import Place, Problem
from wippywasm.app.json_schema.run import Check, Run
from wippywasm.app.json_values.words import got_words
from wippywasm.app.security.regex import MAX_TEXT, Regex, RegexSyntaxError

if TYPE_CHECKING:
    from wippywasm.app.json_schema.compiler import Make, Part

_STEP = 64
"""Characters that a pattern looks at for one step of a run."""


def counted(kind: type, words: str, is_least: bool) -> Make:
    """Makes checks of how many there are of something."""

    def make(part: Part) -> Check:
        limit = part.count()
        bound = "at least" if is_least else "at most"

        def check(value: Any, at: Place, run: Run) -> Iterator[Problem]:
            if isinstance(value, kind) or (kind is dict and run.is_object(value)):
                count = len(value)
                if count < limit if is_least else count > limit:
                    yield Problem(at, f"expected {bound} {limit} {words}, got {count}")

        return check

    return make


def regex(part: Part, pattern: Any) -> Regex:
    """A pattern of a schema; raises SchemaError."""
    if not isinstance(pattern, str):
        raise part.error("a pattern, as text")
    try:
        return Regex(pattern)
    except RegexSyntaxError as error:
        raise part.error(f"a pattern: {error}") from None


def is_found(pattern: Regex, text: str, run: Run) -> bool:
    """Whether a pattern is found in a text; never in one that is too long to be looked at."""
    run.spend(len(text) // _STEP)
    return len(text) <= MAX_TEXT and pattern.found_in(text)


def _pattern(part: Part) -> Check:
    pattern = regex(part, part.value)

    def check(value: Any, at: Place, run: Run) -> Iterator[Problem]:
        if isinstance(value, str) and not is_found(pattern, value, run):
            long = f" (texts have at most {MAX_TEXT} characters for that)" if len(value) > MAX_TEXT else ""
            yield Problem(at, f"{got_words(value)} does not match {pattern.pattern}{long}")

    return check


def _format(part: Part) -> Check | None:
    fits = FORMATS.get(part.value) if isinstance(part.value, str) else None
    if fits is None:
        return None

    def check(value: Any, at: Place, run: Run) -> Iterator[Problem]:
        if isinstance(value, str) and not fits(value):
            yield Problem(at, f"{got_words(value)} is not of the format {part.value}")

    return check


MAKERS: Mapping[str, Make] = {
    "minLength": counted(str, "characters", is_least=True),
    "maxLength": counted(str, "characters", is_least=False),
    "pattern": _pattern,
    "format": _format,
}
