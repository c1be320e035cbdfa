"""Benchmark results as a table, as JSON, and as the part of docs/performance.md that the figures stand in.

In: measured rows. Out: text.
"""

from __future__ import annotations

import datetime
import os
import platform
import re
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tools.bench.rows import Row, Unit, ratio

PYTHON = ".".join(platform.python_version_tuple()[:2])


def as_json(rows: Sequence[Row]) -> dict[str, Any]:
    shown = [{**facts(row), "times": ratio(rows, row)} for row in rows]
    return {"python": platform.python_version(), "packages": packages(), "rows": shown}


def facts(row: Row) -> dict[str, Any]:
    figures = {"least": row.least, "median": row.median, "samples": row.samples}
    return {"case": row.case, "side": row.side, "unit": row.unit, **figures}


def as_table(rows: Sequence[Row]) -> str:
    cells = [("case", "side", "least", "median", "times"), *(line_of(rows, row) for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(5)]
    lines = ["  ".join(pad(text, width, i) for i, (text, width) in enumerate(zip(line, widths))) for line in cells]
    return "\n".join([machine(), "", *lines])


def line_of(rows: Sequence[Row], row: Row) -> tuple[str, ...]:
    times = ratio(rows, row)
    return row.case, row.side, shown(row.least, row.unit), shown(row.median, row.unit), shown_times(times)


def pad(text: str, width: int, column: int) -> str:
    return text.ljust(width) if column < 2 else text.rjust(width)


def shown(figure: float, unit: Unit) -> str:
    if unit == "KiB":
        return f"{figure:,.0f} KiB"
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
