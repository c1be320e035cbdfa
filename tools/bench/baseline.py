"""Ratios that are kept, to find what became slower.

In: measured ratios, and a file with earlier ones. Out: what is worse than it allows. Times of two days or machines
can't be compared; how many times as fast as a peer in the same minutes we are, can. Even so a ratio moves: it may
fall by the file's `tolerance`, a share of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.bench.rows import Ratios

TOLERANCE = 0.35


def save(path: Path, ratios: Ratios, taken: str) -> None:
    kept = {case: {side: float(f"{times:.3g}") for side, times in sides.items()} for case, sides in ratios.items()}
    text = json.dumps({"taken": taken, "tolerance": TOLERANCE, "ratios": kept}, indent=2, ensure_ascii=False)
    path.write_text(f"{text}\n")


def load(path: Path) -> dict[str, Any]:
    """What `save` wrote there; OSError or ValueError where that is not so."""
    found: Any = json.loads(path.read_text())
    if not isinstance(found, dict) or not {"tolerance", "ratios"} <= found.keys():
        raise ValueError("these are no ratios that --save kept")
    return found


def worse(ratios: Ratios, baseline: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The case, and a line, for each ratio that fell by more than the tolerance. What only one has is not compared."""
    share = 1 - baseline["tolerance"]
    for case, sides in baseline["ratios"].items():
        for side, before in sides.items():
            now = ratios.get(case, {}).get(side)
            if now is not None and now < before * share:
                yield case, f"{case}, {side}: {now:.2g} times instead of {before:.2g}, at least {before * share:.2g}"
