"""Where the boxes of a drawing stand, and the ways between them.

In: a `Graph`. Out: a place for each box, and for each link the points that it passes.

Imports stand left, exports right, and each instance in the column after the last of those that it is made of. A link
that passes a column has a place of its own there, so no line runs behind a box. Within a column, boxes and passing
links are ordered by the mean place of what they are linked to, so that few lines cross.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from wippywasm.dataclass import dataclass
from wippywasm.inspect.model import Box, Graph, Link

BOX_WIDTH, BOX_HEIGHT = 200, 44
_LANE = 6
_GAP, _ALLEY, _MARGIN = 14, 64, 14
_SWEEPS = 6

Point = tuple[float, float]


@dataclass(frozen=True)
class Placed:
    """A box at its place; `number` is its own among all."""

    box: Box
    number: int
    x: float
    y: float


@dataclass(frozen=True)
class Way:
    """A link, and the points that it passes from its source to its target."""

    link: Link
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Layout:
    boxes: Mapping[str, Placed]
    ways: tuple[Way, ...]
    width: float
    height: float


def lay_out(graph: Graph) -> Layout:
    """The places of a graph that has boxes."""
    depth = _depths(graph)
    chains = {link: _chain(number, link, depth) for number, link in enumerate(graph.links)}
    columns = _columns(graph, depth, chains.values())
    height = max(sum(map(_height, column)) + _GAP * (len(column) - 1) for column in columns) + 2 * _MARGIN
    places = _places(columns, height)
    numbers = {box.id: number for number, box in enumerate(graph.boxes)}
    boxes = {b.id: Placed(b, numbers[b.id], *places[b.id]) for b in graph.boxes}
    ways = tuple(Way(link, tuple(_points(chain, places))) for link, chain in chains.items())
    return Layout(boxes, ways, 2 * _MARGIN + len(columns) * (BOX_WIDTH + _ALLEY) - _ALLEY, height)


def _depths(graph: Graph) -> dict[str, int]:
    """The column of each box."""
    sources: dict[str, list[str]] = defaultdict(list)
    for link in graph.links:
        sources[link.target].append(link.source)
    depth: dict[str, int] = {}
    for box in graph.boxes:  # in the order of their making, so sources come first
        before = [depth[source] for source in sources[box.id] if source in depth]
        depth[box.id] = 0 if box.kind == "import" else 1 + max(before, default=0)
    last = 1 + max((depth[box.id] for box in graph.boxes if box.kind != "export"), default=0)
    exports = {box.id: last for box in graph.boxes if box.kind == "export"}
    return {**depth, **exports}


def _chain(number: int, link: Link, depth: Mapping[str, int]) -> tuple[str, ...]:
    """The source, a lane in each column that is passed, the target."""
    lanes = [f"lane {number} {column}" for column in range(depth[link.source] + 1, depth[link.target])]
    return (link.source, *lanes, link.target)


def _columns(graph: Graph, depth: Mapping[str, int], chains: Iterable[Sequence[str]]) -> list[list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for box in graph.boxes:
        found[depth[box.id]].append(box.id)
    beside: dict[str, list[str]] = defaultdict(list)
    for chain in chains:
        for place, lane in enumerate(chain[1:-1], depth[chain[0]] + 1):
            found[place].append(lane)
        for one, other in pairwise(chain):
            beside[one].append(other)
            beside[other].append(one)
    columns = [found[place] for place in sorted(found)]
    for sweep in range(_SWEEPS):
        _sweep(columns if sweep % 2 == 0 else columns[::-1], beside)
    return columns


def _sweep(columns: Sequence[list[str]], beside: Mapping[str, list[str]]) -> None:
    """Order each column by the mean place of what its members are linked to in the columns before it."""
    row: dict[str, float] = {}
    for column in columns:
        means = {id: _mean([row[other] for other in beside.get(id, ()) if other in row]) for id in column}
        column.sort(key=means.__getitem__)
        row.update({id: (place + 0.5) / len(column) for place, id in enumerate(column)})


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.5


def _height(id: str) -> int:
    return _LANE if id.startswith("lane ") else BOX_HEIGHT


def _places(columns: Sequence[Sequence[str]], height: float) -> dict[str, Point]:
    """The upper left corner of each member, columns in the middle of the height."""
    places: dict[str, Point] = {}
    for number, column in enumerate(columns):
        y = (height - sum(map(_height, column)) - _GAP * (len(column) - 1)) / 2
        for id in column:
            places[id] = _MARGIN + number * (BOX_WIDTH + _ALLEY), y
            y += _height(id) + _GAP
    return places


def _points(chain: Sequence[str], places: Mapping[str, Point]) -> Iterable[Point]:
    for place, id in enumerate(chain):
        x, y = places[id][0], places[id][1] + _height(id) / 2
        if place > 0:
            yield x, y
        if place < len(chain) - 1:
            yield x + BOX_WIDTH, y
