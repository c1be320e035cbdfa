"""What bindgen writes: the same each time, and to the liking of Python, mypy and ruff."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tests.bindgen.typed import ROOT, mypy
from tests.vectors import components, needs_vectors
from tests.wit.wit_strategies import package_texts
from wippywasm.binary import decode
from wippywasm.bindgen import generate
from wippywasm.bindgen.sources import read_world
from wippywasm.cli.bindgen import write_package
from wippywasm.errors import InvalidError, WitDiagnosticsError
from wippywasm.wit import World, host_packages, parse_text, world_of_component

HERE = Path(__file__).parent
SHOP = HERE / "world.wit"
BLESS = bool(os.environ.get("WIPPYWASM_BLESS"))
STRICT = ["--strict", "--python-version=3.10", "--follow-imports=silent", "--no-error-summary", "--show-error-codes"]


def complaints(folder: Path, cache: Path) -> list[str]:
    """What mypy says about all packages in a folder."""
    ran = mypy(*STRICT, f"--cache-dir={cache}", ".", folder=folder, path=str(ROOT))
    assert ran.stderr == ""
    return ran.stdout.splitlines()


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mypy")


def test_the_same_world_gives_the_same_files() -> None:
    """`WIPPYWASM_BLESS=1` writes what the generator says now."""
    files = generate(read_world(SHOP), "wippywasm bindgen world.wit")
    text = "".join(f"======== {name}\n{content}" for name, content in files.items())
    golden = HERE / "shop.golden"
    if BLESS:
        golden.write_text(text)
    assert golden.read_text() == text
    assert generate(read_world(SHOP), "wippywasm bindgen world.wit") == files


def test_people_who_use_a_package_are_told_their_mistakes(tmp_path: Path, cache: Path) -> None:
    write_package(tmp_path / "shop", generate(read_world(SHOP), "wippywasm bindgen"))
    usage = (HERE / "usage.txt").read_text()
    (tmp_path / "usage.py").write_text(usage)
    found = {
        (int(m[1]), m[2])
        for m in (re.match(r"usage\.py:(\d+): error: .*\[(.*)\]$", x) for x in complaints(tmp_path, cache))
        if m
    }
    marks = ((n, re.search(r"# error: (\S+)$", line)) for n, line in enumerate(usage.splitlines(), 1))
    assert found == {(n, mark[1]) for n, mark in marks if mark}


def worlds() -> Iterator[tuple[str, World]]:
    """The worlds of the vectors' components that export something."""
    for place, wasm in components():
        world = world_of_component(decode(wasm)).world()
        if world.exports:
            yield place, world


@needs_vectors
def test_worlds_of_the_vectors(tmp_path: Path, cache: Path) -> None:
    names, refused = count(), list[str]()
    for place, world in worlds():
        try:
            write_package(tmp_path / f"vector_{next(names)}", generate(world, "wippywasm bindgen"))
        except InvalidError as error:
            refused.append(f"{place}: {error.message}")
    assert next(names) >= 150
    assert len(refused) <= 18
    assert all("WIT has no words for this world" in why for why in refused), refused
    assert complaints(tmp_path, cache) == []


def test_worlds_of_hosts_guests_and_the_demo_and_one_of_awkward_names(tmp_path: Path, cache: Path) -> None:
    worlds = {world.id: world for world in host_packages().worlds}
    assert {"wasi:cli/command@0.2.12", "wasi:http/proxy@0.2.12"} <= worlds.keys()
    binaries = [ROOT / "tests/guests/zoo.wasm", ROOT / "tests/guests/files.component.wasm"]
    binaries += [ROOT / "examples/demo/wasm/people.wasm"]
    worlds |= {path.name: read_world(path) for path in (*binaries, HERE / "edge.wit")}
    for name, world in worlds.items():
        write_package(tmp_path / re.sub(r"\W", "_", name), generate(world, "wippywasm bindgen"))
    assert complaints(tmp_path, cache) == []
    check = subprocess.run(
        [shutil.which("ruff", path=Path(sys.executable).parent) or "ruff", "check", "--isolated", "--no-cache", "."],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert check.returncode == 0, check.stdout


def test_any_world(tmp_path: Path, cache: Path) -> None:
    """Packages of drawn worlds can be imported, know their own WIT, and are well typed."""
    names = count()

    @settings(max_examples=40, suppress_health_check=list(HealthCheck))
    @given(package_texts())
    def write(text: str) -> None:
        try:
            worlds = parse_text(text, features=["active"]).worlds
        except WitDiagnosticsError:
            return
        for world in worlds:
            write_package(tmp_path / f"drawn_{next(names)}", generate(world, "wippywasm bindgen"))

    write()
    packages = sorted(path.name for path in tmp_path.iterdir())
    assert len(packages) > 10
    lines = [f"import {name}; {name}.BINDINGS.scopes" for name in packages]
    program = "\n".join([*lines, "print('all imported')"])
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    assert ran.stdout == "all imported\n", ran.stderr[-2000:]
    assert complaints(tmp_path, cache) == []
