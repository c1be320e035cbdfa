"""Links of the pages outside of docs/, whose own `make docs` checks; and figures that stand on two pages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.session import ROOT

PAGES = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("examples/**/*.md"))]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and mkdocs make them."""
    titles = HEADING.findall(re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text()):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), f"{page.name}: {link}"
        assert not anchor or anchor in anchors(target), f"{page.name}: {link}"


def test_the_table_in_the_readme_has_the_figures_of_the_runner() -> None:
    row = next(line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith("| [conformance]"))
    said = re.findall(r"(\d+)(?: passed)?, (\d+)(?: failed)?, (\d+)", row)
    found = re.findall(
        r"\| \d+ \| (\d+) \| (\d+) \| (\d+) \|$", (ROOT / "docs/conformance.md").read_text(), re.MULTILINE
    )
    assert said
    assert set(said) == set(found)
