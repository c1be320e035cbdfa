"""How a directive ends that does not hold, and what several kinds of directives need to find that out.

In: sources, messages. Out: bytes, or one of the exceptions.
"""

from __future__ import annotations

import os

from spec_tests.wast_directives import Source
from spec_tests.wast_messages import same_meaning
from wippywasm.engine import wat2wasm
from wippywasm.errors import PoisonedError, Trap, WatSyntaxError, WippyError

NOT_UP = "its component did not come up: "


class Failed(Exception):
    """A directive that does not hold."""


class Skipped(Exception):
    """A directive that can't be tried."""


class Validated(Exception):
    """A definition that holds as far as it can be tried, with why it was not instantiated."""


class Untranslated(Skipped):
    """Text that the text parser refuses; `said` is why."""

    def __init__(self, said: str) -> None:
        super().__init__(f"the text parser refuses it: {said}")
        self.said = said


class Missing:
    """Stands for a definition or an instance that could not be made; using it fails or skips like making it did."""

    def __init__(self, why: Failed | Skipped) -> None:
        said = f"{NOT_UP}{str(why).removeprefix(NOT_UP)}"
        self.why = Failed(said) if isinstance(why, Failed) else Skipped(said)


_OLDER_SPELLING = ("WAST_STRICT_COMPONENT_INDICES", "0")
"""Lets the translator take `(memory $i "memory")` for a nested reference, as most files that exist write it."""


def to_bytes(source: Source) -> bytes:
    """The binary of a source; `Untranslated` where the translator does not take its text."""
    if source.wasm is not None:
        return source.wasm
    assert source.text is not None
    os.environ.setdefault(*_OLDER_SPELLING)
    if source.is_quoted and not _is_text(source.text):
        raise Untranslated("malformed UTF-8 encoding")
    try:
        return wat2wasm(source.text)
    except WatSyntaxError as error:
        raise Untranslated(str(error).splitlines()[0]) from error


def _is_text(quoted: str) -> bool:
    """Was what a file quotes UTF-8? Bytes that are not are in it as halves of surrogate pairs."""
    try:
        quoted.encode()
    except UnicodeEncodeError:
        return False
    return True


def reason_of(error: WippyError) -> str:
    """Why a guest ended, without the function it was in or has called, and without what had ended it before."""
    if isinstance(error, PoisonedError):
        return error.message.partition(":")[0]
    if isinstance(error, Trap) and error.function:
        return error.message.rpartition(f" `{error.function}`")[0] or error.message
    if isinstance(error, Trap) and error.frames:
        return error.message.removesuffix(f" in {error.frames[0].render()}")
    return error.message


def expect_message(expected: str, actual: str) -> None:
    """`Failed` where the message is not the one that the vector expects."""
    if not same_meaning(expected, actual):
        raise Failed(f"expected a message like {expected!r}, got {actual!r}")
