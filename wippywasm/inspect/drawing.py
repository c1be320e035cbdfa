"""A graph of instances as a drawing: imports left, core instances in the order of their making, exports right.

In: a `Graph`. Out: SVG markup without scripts; its colours and effects are classes of the page's style sheet.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from wippywasm.inspect.layout import BOX_HEIGHT, BOX_WIDTH, Placed, Way, lay_out
from wippywasm.inspect.markup import safe
from wippywasm.inspect.model import Box, Graph, Link
from wippywasm.inspect.tree import human_size
from wippywasm.visible import visible
from wippywasm.wit.names import interface_name

MAX_BOXES, MAX_LINKS = 150, 600
"""A hostile file has more instances than anybody would look at."""
_MAX_LETTERS = 25
_MAX_ITEMS = 40


def drawing(graph: Graph, missing: Collection[str] = ()) -> str:
    """The SVG; `missing` are imports that must be supplied. A sentence instead where there is nothing to draw."""
    if not graph.boxes:
        return "<p>There is nothing to draw: it can't be instantiated here.</p>"
    if len(graph.boxes) > MAX_BOXES or len(graph.links) > MAX_LINKS:
        return f"<p>{len(graph.boxes):,} instances, imports and exports are too many to draw.</p>"
    layout = lay_out(graph)
    size = f'viewBox="0 0 {layout.width:.0f} {layout.height:.0f}" width="{layout.width:.0f}"'
    parts = [
        f'<svg class="drawing" role="img" {size}>',
        "<title>What is linked to what: imports, core instances, exports</title>",
        f"<style>{_effects(layout.boxes.values())}</style>",
        *(_way(way, layout.boxes) for way in layout.ways),
        *(_box(placed, missing) for placed in layout.boxes.values()),
        "</svg>",
    ]
    return "\n".join(parts)


def _effects(placed: Iterable[Placed]) -> str:
    """While a box is pointed at, what is not linked to it fades."""
    return "".join(f".drawing:has(.box.b{p.number}:hover) .link:not(.b{p.number}){{opacity:.1}}" for p in placed)


def _way(way: Way, boxes: Mapping[str, Placed]) -> str:
    """A line through the points: bent between columns, straight where it passes one."""
    (x, y), *rest = way.points
    path = f"M{x:.0f},{y:.1f}"
    for number, (x2, y2) in enumerate(rest):
        middle = (x + x2) / 2
        curve = f"C{middle:.0f},{y:.1f} {middle:.0f},{y2:.1f} {x2:.0f},{y2:.1f}"
        path += curve if number % 2 == 0 else f"L{x2:.0f},{y2:.1f}"
        x, y = x2, y2
    width = min(1.2 + len(way.link.items) / 5, 5)
    classes = f"link b{boxes[way.link.source].number} b{boxes[way.link.target].number}"
    return f'<path class="{classes}" d="{path}" stroke-width="{width:.2f}"><title>{_items(way.link)}</title></path>'


def _items(link: Link) -> str:
    shown = "\n".join(link.items[:_MAX_ITEMS])
    more = len(link.items) - _MAX_ITEMS
    return safe(f"{shown}\n… and {more} more" if more > 0 else shown)


def _box(p: Placed, missing: Collection[str]) -> str:
    kind = "missing" if p.box.kind == "import" and p.box.label in missing else p.box.kind
    name, below = _words(p.box)
    return (
        f'<g class="box {kind} b{p.number}" transform="translate({p.x:.0f},{p.y:.1f})">'
        f"<title>{safe(p.box.label)}</title>"
        f'<rect width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="8"/>'
        f'<text x="12" y="19" class="name">{safe(name)}</text><text x="12" y="35">{safe(below)}</text></g>'
    )


def _words(box: Box) -> tuple[str, str]:
    """Two lines: the name itself, and where it is from or how large it is."""
    if box.size is not None:
        return _short(box.label), human_size(box.size)
    package, _, name = box.label.partition("/")
    return (_short(name), _short(package)) if interface_name(box.label) else (_short(box.label), box.kind)


def _short(text: str) -> str:
    text = visible(text)
    return text if len(text) <= _MAX_LETTERS else f"{text[: _MAX_LETTERS - 1]}…"
