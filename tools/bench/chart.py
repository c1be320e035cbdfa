"""A bar chart of ratios, as SVG: one bar for each case and side, on a logarithmic scale around 1.

In: ratios by case and side. Out: the text of the file. Colours are taken from the reader's light or dark setting.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape

from tools.bench.report import shown_times
from tools.bench.rows import Ratios

WIDTH, LABEL, ROW, TOP = 860, 330, 22, 44
STYLE = """<style>
text { font: 13px sans-serif; fill: #222 } .side0 { fill: #3a6ea5 } .side1 { fill: #c9822b } .side2 { fill: #6b8e4e }
line { stroke: #999 } @media (prefers-color-scheme: dark) { text { fill: #ddd } }
</style>"""


def chart(ratios: Ratios) -> str:
    sides = sorted({side for bars in ratios.values() for side in bars})
    bars = [(case, side, times) for case, found in ratios.items() for side, times in sorted(found.items())]
    height = TOP + ROW * len(bars) + 10
    scale = Scale([times for _, _, times in bars])
    lines = [*legend(sides), *axis(scale, height)]
    for number, (case, side, times) in enumerate(bars):
        first = number == 0 or bars[number - 1][0] != case
        lines += bar(TOP + ROW * number, case if first else "", times, f"side{sides.index(side) % 3}", scale)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">'
    return "\n".join([head, "<title>Times less than wasmtime-py</title>", STYLE, *lines, "</svg>", ""])


class Scale:
    """Places of figures: the logarithm, from the least (1 at the most) to the greatest."""

    def __init__(self, figures: list[float]) -> None:
        self._low = math.log10(min([1.0, *figures]))
        self._high = math.log10(max([10.0, *figures]))

    def __call__(self, figure: float) -> float:
        return LABEL + (WIDTH - LABEL - 60) * (math.log10(figure) - self._low) / (self._high - self._low)


def legend(sides: list[str]) -> Iterator[str]:
    for number, side in enumerate(sides):
        x = LABEL + number * 190
        yield f'<rect class="side{number % 3}" x="{x}" y="6" width="12" height="12"/>'
        yield f'<text x="{x + 18}" y="17">{escape(side)}</text>'


def axis(scale: Scale, height: int) -> Iterator[str]:
    x = scale(1)
    yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 8}" y2="{height}"/>'
    yield f'<text x="{x + 4:.1f}" y="{TOP - 8}">wasmtime-py</text>'


def bar(y: int, label: str, times: float, side: str, scale: Scale) -> Iterator[str]:
    start, end = sorted((scale(1), scale(times)))
    if label:
        yield f'<text x="{LABEL - 12}" y="{y + 14}" text-anchor="end">{escape(label)}</text>'
    yield f'<rect class="{side}" x="{start:.1f}" y="{y}" width="{max(end - start, 1):.1f}" height="{ROW - 5}"/>'
    yield f'<text x="{end + 6:.1f}" y="{y + 14}">{shown_times(times)}</text>'
