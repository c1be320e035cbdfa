"""Benchmark results as a table, as JSON, and as the part of docs/performance.md that the figures stand in.

In: measured rows. Out: text.
"""

from __future__ import annotations

import datetime
import os
import platform
import re
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tools.bench.rows import Row, Unit, overhead, ratio

PYTHON = ".".join(platform.python_version_tuple()[:2])


def as_json(rows: Sequence[Row]) -> dict[str, Any]:
    shown = [{**facts(row), "times": ratio(rows, row), "overhead": overhead(row)} for row in rows]
    return {"python": platform.python_version(), "packages": packages(), "rows": shown}


def facts(row: Row) -> dict[str, Any]:
    unit = figure_in(row.unit)
    figures = {"least": unit(row.least), "median": unit(row.median), "samples": list(map(unit, row.samples))}
    return {"case": row.case, "side": row.side, "unit": row.unit, **figures}


def figure_in(unit: Unit) -> Callable[[float], float]:
    """What makes a sample a figure in that unit."""
    return (lambda sample: 1 / sample) if unit == "calls/s" else float


def as_table(rows: Sequence[Row]) -> str:
    cells = [("case", "side", "least", "median", "times"), *(line_of(rows, row) for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(5)]
    lines = ["  ".join(pad(text, width, i) for i, (text, width) in enumerate(zip(line, widths))) for line in cells]
    return "\n".join([machine(), "", *lines])


def line_of(rows: Sequence[Row], row: Row) -> tuple[str, ...]:
    cost = overhead(row)
    times = shown_times(ratio(rows, row)) if cost is None else f"{cost:.1f}x the direct call"
    return row.case, row.side, shown(row.least, row.unit), shown(row.median, row.unit), times


def pad(text: str, width: int, column: int) -> str:
    return text.ljust(width) if column < 2 else text.rjust(width)


def shown(figure: float, unit: Unit) -> str:
    if unit == "KiB":
        return f"{figure:,.0f} KiB"
    if unit == "calls/s":
        return f"{1 / figure:,.0f} calls/s"
    if figure < 1e-3:
        return f"{figure * 1e6:.2f} µs"
    return f"{figure * 1e3:.2f} ms"


def shown_times(times: float | None) -> str:
    """Two digits and no more: the rest is noise."""
    return "" if times is None else f"{times:,.0f}" if times >= 10 else f"{times:.1f}"


# ------------------------------------------------------------------------------------------------ the page


def written(page: str, rows: Sequence[Row], chart: str) -> str:
    """`page` with these figures in the section of this Python; a section is added where there is none."""
    section = "\n".join([f"<!-- measured on {PYTHON} -->", *section_lines(rows, chart), "<!-- end -->"])
    found = re.compile(rf"<!-- measured on {re.escape(PYTHON)} -->.*?<!-- end -->", re.DOTALL)
    if found.search(page):
        return found.sub(lambda _: section, page)
    return page.replace("## Reading it\n", f"{section}\n\n## Reading it\n", 1)


def section_lines(rows: Sequence[Row], chart: str) -> Iterator[str]:
    rounds = len(rows[0].samples)
    yield f"### CPython {PYTHON}"
    yield f"\n{machine()}; {rounds} rounds on {datetime.date.today().isoformat()}.\n"
    yield f"![How many times less than wasmtime-py, by case]({chart})\n"
    yield "| case | side | least | median | times |\n|---|---|---|---|---|"
    yield from ("| " + " | ".join(line_of(rows, row)) + " |" for row in rows)


def machine() -> str:
    load = f"load {os.getloadavg()[0]:.1f}"
    return ", ".join([f"Python {platform.python_version()}", *packages(), processor(), load])


def packages() -> list[str]:
    return [f"{name} {found}" for name in ("wasmtime", "wasmer") if (found := installed(name))]


def installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def processor() -> str:
    info = Path("/proc/cpuinfo")
    found = re.search(r"^model name\s*: (.*)$", info.read_text(), re.MULTILINE) if info.is_file() else None
    return f"{os.cpu_count()} cores of {found[1] if found else platform.machine()}"
