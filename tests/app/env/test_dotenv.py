"""Files of `NAME=value` lines: read, and written so that they read the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wippywasm.app.env.dotenv import parse, with_value
from wippywasm.errors import InvalidError

TEXT = """\
# a comment
A=1
export B = two words   # and a comment
C="line\\nline \\"quoted\\" \\\\"
D='as $it \\n is'
E=
not a line
A=last
"""


def test_values() -> None:
    assert parse(TEXT) == {
        "A": "last",
        "B": "two words",
        "C": 'line\nline "quoted" \\',
        "D": "as $it \\n is",
        "E": "",
    }


def test_a_change_leaves_the_other_lines_as_they_are() -> None:
    changed = with_value(TEXT, "E", "new value")
    assert changed.splitlines() == [*TEXT.splitlines()[:5], 'E="new value"', *TEXT.splitlines()[6:]]
    assert with_value("A=1", "B", "2") == "A=1\nB=2\n"


VALUES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)


@given(st.dictionaries(st.from_regex(r"[A-Z_][A-Z0-9_]{0,5}", fullmatch=True), VALUES, max_size=5), VALUES)
def test_what_is_written_reads_back(values: dict[str, str], other: str) -> None:
    text = "# first\n"
    for name, value in values.items():
        text = with_value(with_value(text, name, other), name, value)
    read = dict(parse(text))
    assert {name: read[name] for name in values} == values


def test_nul_is_refused() -> None:
    with pytest.raises(InvalidError, match="NUL"):
        with_value("", "A", "a\0b")
