"""Documentation that binaries bring becomes comments in time and memory that its size justifies."""

from __future__ import annotations

from functools import partial
from unittest import mock

import pytest

from tests.binary.peaks import assert_peak
from tests.steps import steps_of
from wippywasm.wit import Resolution, comments, parse_text, print_resolution

UNSAYABLE = "*/ " + "\n" * 50 + "x"
"""A block would end where the space begins."""
LONG = {
    "empty lines": "\n" * 100_000,
    "short lines": "a\n" * 60_000 + "b",
    "lines that nothing says": "*/ \n" * 40_000 + "x",
    "spaces": " \n" * 60_000 + "x",
}


def documented(docs: str, fields: int = 1) -> Resolution:
    """Each field has that documentation."""
    found = parse_text(f"package a:b; interface i {{ record r {{ {', '.join(f'x{n}: u8' for n in range(fields))} }} }}")
    found.interfaces[0].types["r"].member_docs = (docs,) * fields
    return found


@pytest.mark.parametrize("docs", LONG.values(), ids=LONG)
def test_long_documentation_is_printed_with_little(docs: str) -> None:
    found = documented(docs)
    assert_peak(partial(print_resolution, found), 2_000_000 + 40 * len(docs))
    assert steps_of(partial(print_resolution, found)) < 5_000 + 60 * len(docs)


def test_all_documentation_of_a_package_shares_one_search() -> None:
    found = documented(UNSAYABLE, 1000)
    with mock.patch.object(comments, "_Search", wraps=comments._Search) as search:
        assert "x" in print_resolution(found)
    steps = [call.args[1] for call in search.call_args_list]
    assert steps[0] > 0
    assert steps[-1] <= 0
    assert len([count for count in steps if count > 0]) < 500


def said(docs: str) -> str | None:
    """What the documentation becomes that is printed and read again."""
    return parse_text(print_resolution(documented(docs))).interfaces[0].types["r"].member_docs[0]


@pytest.mark.parametrize("docs", ["a \nb", " a\n\n\n  b \n c", "a\n" * 2500 + "b \nc"])
def test_space_is_kept(docs: str) -> None:
    assert said(docs) == docs


@pytest.mark.parametrize("docs", ["a ", "a\n", " \n \n", UNSAYABLE])
def test_what_no_comments_say_is_said_without_its_space(docs: str) -> None:
    assert said(docs) == "\n".join(line.rstrip() for line in docs.split("\n")).rstrip("\n")
