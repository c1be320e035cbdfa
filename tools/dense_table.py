"""What every way to read a file takes of dense ones, as a table: `python -m tools.dense_table [-s SIZE]… [KIND]…`.

In: kinds of components, modules and WIT packages, and sizes. Out: a line for each file, with the milliseconds of each
way and, where that is over 3 MB, how many times the file's size it takes besides those; the most of each at last.
"""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from os import devnull
from pathlib import Path
from typing import NamedTuple

from tools import dense, dense_modules, dense_wit
from tools.dense import Make
from wippywasm import wit
from wippywasm.binary import core_module, decode, sniff
from wippywasm.bindgen import generate
from wippywasm.bindgen.sources import read_world
from wippywasm.cli.commands import run_main
from wippywasm.errors import WippyError
from wippywasm.inspect import inspect
from wippywasm.inspect.page import page
from wippywasm.inspect.report import report
from wippywasm.instance.load import load
from wippywasm.plan import plan_component, plan_core_module

BASE = 3_000_000
"""What a file of any size may take."""
SIZES = [20_000, 240_000, 600_000, 2_000_000]

Way = Callable[[Path], object]


def _plan(file: Path) -> object:
    wasm = file.read_bytes()
    if sniff(wasm) == "module":
        return plan_core_module(core_module.parse(wasm), wasm)
    component = decode(wasm)
    return component, plan_component(component)


def _command(*options: str) -> Way:
    def run(file: Path) -> None:
        with open(devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
            run_main(["inspect", str(file), *options])

    return run


def _world(file: Path) -> object:
    return wit.world_document(wit.world_of_component(decode(file.read_bytes())).world())


def _text(file: Path) -> object:
    return wit.print_resolution(wit.world_of_component(decode(file.read_bytes())))


def _package(file: Path) -> object:
    return wit.print_resolution(wit.decode(file.read_bytes()))


def _package_json(file: Path) -> object:
    return sum(map(len, wit.json_pieces(wit.decode(file.read_bytes()))))


WAYS: dict[str, Way] = {
    "plan": _plan,
    "load": load,
    "inspect": lambda file: report(inspect(file)),
    "command": _command(),
    "json": _command("--json"),
    "html": lambda file: page(inspect(file)),
    "entry": _command("--entry"),
    "world": _world,
    "wit": _text,
    "bindgen": lambda file: generate(read_world(file), "x"),
    "package": _package,
    "package json": _package_json,
}
KINDS: dict[str, Make] = {
    **dense.KINDS,
    **{f"module: {kind}": make for kind, make in dense_modules.MODULES.items()},
    **{f"package: {kind}": make for kind, make in dense_wit.PACKAGES.items()},
}


class Taken(NamedTuple):
    seconds: float
    factor: float
    outcome: str


def taken(file: Path, way: Way) -> Taken:
    """What one way takes of a file."""
    outcome = ""

    def read(_: bytes) -> object:
        return way(file)

    gc.collect()
    started = time.thread_time()
    try:
        way(file)
    except WippyError as error:
        outcome = type(error).__name__
    seconds = time.thread_time() - started
    peak = dense.peak_of(b"", read)
    return Taken(seconds, (peak - BASE) / file.stat().st_size, outcome)


def rows(kinds: list[str], sizes: list[int], ways: list[str]) -> Iterator[tuple[str, int, dict[str, Taken]]]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "dense.wasm"
        for kind in kinds:
            for size in sizes:
                file.write_bytes(KINDS[kind](size))
                yield kind, file.stat().st_size, {name: taken(file, WAYS[name]) for name in ways}


def cell(name: str, found: Taken) -> str:
    factor = f" {found.factor:.0f}x" if found.factor > 1 else ""
    return f"{name} {found.seconds * 1000:.0f} ms{factor}{f' {found.outcome}' if found.outcome else ''}"


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-s", "--size", type=int, action="append")
    parser.add_argument("-w", "--way", action="append", choices=WAYS)
    parser.add_argument("kinds", nargs="*", default=[])
    options = parser.parse_args()
    chosen = [k for k in KINDS if not options.kinds or any(part in k for part in options.kinds)]
    ways = options.way or list(WAYS)
    seen: list[tuple[str, dict[str, Taken]]] = []
    for kind, size, found in rows(chosen, options.size or SIZES, ways):
        print(f"{kind} {size}: {', '.join(cell(name, one) for name, one in found.items())}", flush=True)
        seen.append((f"{kind} {size}", found))
    for name in ways:
        large, long = (max(seen, key=lambda row: row[1][name][i]) for i in (1, 0))
        print(
            f"{name}: {large[1][name].factor:.1f} times at most ({large[0]}), {long[1][name].seconds:.2f} s ({long[0]})"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
