"""What all messages share."""

from __future__ import annotations

import pytest

from wippywasm.errors import WitError, with_article


@pytest.mark.parametrize(
    "words",
    [
        "an i32",
        "an f64",
        "an s8",
        "a u8",
        "a v128",
        "an own<counter>",
        "a borrow<counter>",
        "an fs.directory",
        "an env.variable",
        "a function.wat",
        "a registry.entry",
        "an x",
        "a universe",
        "an unknown",
        "an option<u8>",
    ],
)
def test_articles_follow_the_sound(words: str) -> None:
    assert with_article(words.partition(" ")[2]) == words


def test_a_long_payload_is_cut_in_the_message() -> None:
    error = WitError("e" * 1_000_000)
    assert len(str(error)) < 1_100
    assert str(error).endswith("e… 999,002 more characters")
    assert error.payload == "e" * 1_000_000
