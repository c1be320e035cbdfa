"""The page of an inspection: self-contained, safe for any names, and drawn well in a browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.inspect.conftest import FILES_COMPONENT, GUESTS, PEOPLE, InspectText, Run
from wippywasm.inspect import inspect
from wippywasm.inspect.drawing import drawing
from wippywasm.inspect.layout import BOX_HEIGHT, BOX_WIDTH, lay_out
from wippywasm.inspect.model import Box, Graph, Link
from wippywasm.inspect.page import page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
VOID = {"meta", "br", "rect"}


class _Balanced(HTMLParser):
    """Finds tags that are not closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert tag in VOID or self.open.pop() == tag


@pytest.mark.parametrize("guest", GUESTS, ids=lambda g: g.name)
def test_a_page_needs_nothing_else(guest: Path) -> None:
    text = page(inspect(guest))
    parser = _Balanced()
    parser.feed(text)
    assert parser.open == []
    assert not {"src", "href", "onload", "onclick", "xlink:href"} & {name for name, _ in parser.attributes}
    assert "<script" not in text
    assert not re.search(r"url\(|@import", text)
    assert "default-src 'none'" in text


def test_names_from_the_file_are_no_markup(inspect_text: InspectText) -> None:
    found = inspect_text(
        '(module (import "<script>alert(1)</script>" "</title><b>" (func))'
        ' (func (export "\\"><img src=x>")) (@custom "<i>" "x"))'
    )
    text = page(found)
    assert "<script" not in text
    assert "<img" not in text
    assert "<i>" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_what_a_component_within_an_import_exports_comes_from_that(inspect_text: InspectText) -> None:
    inner = (
        '(import "a" (instance $a (export "p" (component (export "f" (func)))))) (alias export $a "p" (component $p))'
    )
    found = inspect_text(f'(component {inner} (instance $i (instantiate $p)) (export "f" (func $i "f")))')
    assert found.graph is not None
    assert [link.source for link in found.graph.links] == ["import a"]
    assert "import a" in page(found)


def test_what_cannot_be_drawn_is_said() -> None:
    many = Graph(tuple(Box(f"import {n}", "import", str(n)) for n in range(1000)))
    assert "too many to draw" in drawing(many)
    assert "nothing to draw" in drawing(Graph())


@pytest.mark.parametrize("guest", GUESTS, ids=lambda g: g.name)
def test_no_box_lies_on_another_and_no_line_behind_one(guest: Path) -> None:
    layout = lay_out(inspect(guest).graph)
    boxes = list(layout.boxes.values())
    for i, a in enumerate(boxes):
        assert 0 <= a.x <= layout.width - BOX_WIDTH
        assert 0 <= a.y <= layout.height - BOX_HEIGHT
        assert not any(abs(a.x - b.x) < BOX_WIDTH and abs(a.y - b.y) < BOX_HEIGHT for b in boxes[i + 1 :])
    for way in layout.ways:
        for (x1, y1), (x2, y2) in zip(way.points[1::2], way.points[2::2], strict=False):
            assert y1 == y2
            assert not any(box.x < x2 and x1 < box.x + BOX_WIDTH and box.y < y1 < box.y + BOX_HEIGHT for box in boxes)


def test_sources_stand_left_of_what_they_go_into() -> None:
    graph = Graph(
        (Box("import a", "import", "a"), Box("instance 0", "instance", "0"), Box("export x", "export", "x")),
        (Link("import a", "instance 0", ("f",)), Link("import a", "export x", ("g",))),
    )
    layout = lay_out(graph)
    assert [layout.boxes[id].x for id in ("import a", "instance 0", "export x")] == sorted(
        placed.x for placed in layout.boxes.values()
    )
    assert [len(way.points) for way in layout.ways] == [2, 4]


def test_the_command_writes_it(tmp_path: Path, run: Run) -> None:
    out = tmp_path / "page.html"
    ran = run("inspect", PEOPLE, "--html", out)
    assert (ran.code, ran.out, ran.err) == (0, "", f"wrote {out.stat().st_size:,} bytes to {out}\n")
    assert out.read_text() == page(inspect(PEOPLE))
    ran = run("inspect", PEOPLE, "--html", tmp_path / "none/page.html")
    assert (ran.code, ran.out) == (2, "")
    assert "can't write" in ran.err


# ---- in a browser

MEASURE = """<script>
const rect = e => { const r = e.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom] };
const svg = document.querySelector("svg.drawing");
document.title = JSON.stringify({
  overflow: document.documentElement.scrollWidth > document.documentElement.clientWidth,
  svg: rect(svg), boxes: [...svg.querySelectorAll("g.box rect")].map(rect), links: svg.querySelectorAll("path").length,
  texts: [...svg.querySelectorAll("text")].map(t => [t.getComputedTextLength(), t.parentNode.querySelector("rect").width.baseVal.value]),
  paper: getComputedStyle(document.body).backgroundColor, ink: getComputedStyle(document.body).color,
});
</script>"""  # noqa: E501

Measure = Callable[..., dict[str, Any]]


@pytest.fixture
def measured(tmp_path: Path) -> Measure:
    """Renders a page in Chromium and measures it there."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here to look at the page with")

    def measure(guest: Path, *flags: str) -> dict[str, Any]:
        text = re.sub(r"<meta http-equiv[^>]*>", "", page(inspect(guest))).replace("</body>", f"{MEASURE}</body>")
        (tmp_path / "page.html").write_text(text)
        command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", *flags, "--dump-dom"]
        url = (tmp_path / "page.html").as_uri()
        ran = subprocess.run([*command, url], capture_output=True, text=True, check=True, timeout=120)
        title = re.search(r"<title>(\{.*?)</title>", ran.stdout)
        assert title is not None
        found: dict[str, Any] = json.loads(title.group(1).replace("&quot;", '"').replace("&amp;", "&"))
        return found

    return measure


def _nested(levels: int, functions: int) -> str:
    """A component with functions over a record of twenty records of twenty …, which is short as a graph."""

    def fields(of: str) -> str:
        return " ".join(f'(field "f{n}" {of})' for n in range(20))

    names = ["u32", *(f"$named{n}" for n in range(levels))]
    types = "".join(
        f'(type $t{n} (record {fields(of)})) (import "t{n}" (type $named{n} (eq $t{n})))'
        for n, of in enumerate(names[:-1])
    )
    signature = f'(param "x" {names[-1]}) (result {names[-1]})'
    uses = "".join(f'(import "i{n}" (func $f{n} {signature})) (export "e{n}" (func $f{n}))' for n in range(functions))
    return f"(component {types} {uses})"


def test_a_page_is_not_much_longer_than_what_it_is_of(inspect_text: InspectText) -> None:
    few, many = (len(page(inspect_text(_nested(2, functions)))) for functions in (10, 60))
    assert (many - few) / 50 < 2_000, "bytes for a function, in exports, imports, the tree and the entry"


@pytest.mark.parametrize("guest", [PEOPLE, FILES_COMPONENT], ids=lambda g: g.name)
def test_a_browser_shows_the_drawing(guest: Path, measured: Measure) -> None:
    graph = inspect(guest).graph
    found = measured(guest, "--window-size=1280,900")
    assert not found["overflow"], "the page does not scroll sideways"
    assert (len(found["boxes"]), found["links"]) == (len(graph.boxes), len(graph.links))
    left, top, right, bottom = found["svg"]
    for x1, y1, x2, y2 in found["boxes"]:
        assert left <= x1 < x2 <= right
        assert top <= y1 < y2 <= bottom
    assert all(length <= width - 16 for length, width in found["texts"]), "no label leaves its box"


def test_light_and_dark(measured: Measure) -> None:
    light = measured(PEOPLE, "--blink-settings=preferredColorScheme=1")
    dark = measured(PEOPLE, "--blink-settings=preferredColorScheme=0")
    assert _brightness(light["paper"]) > 200 > 80 > _brightness(light["ink"])
    assert _brightness(dark["paper"]) < 60 < 200 < _brightness(dark["ink"])


def _brightness(colour: str) -> float:
    return sum(map(float, re.findall(r"[\d.]+", colour)[:3])) / 3
