"""The import order of the rooms, and what `import wippywasm` may load."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from wippywasm.engine.port import Engine

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "wippywasm"

LAYERS = [
    {"dataclass", "late", "threads", "visible"},
    {"errors"},
    {"unfolded", "budget"},
    {"awaitables", "calling", "delivery", "model", "core", "values", "leb128"},
    {"layout"},
    {"wit", "binary"},
    {"abi"},
    {"plan"},
    {"wave"},
    {"engine"},
    {"instance"},
    {"bindgen"},
    {"wasi", "composition"},
    {"app"},
    {"inspect"},
    {"cli"},
    {"__main__"},
]
RANK = {room: rank for rank, rooms in enumerate(LAYERS) for room in rooms}
PORT = "wippywasm.engine.port"
"""Types only: every room above the model may name what an engine is, without having one."""


def room_of(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if parts[0] == "wippywasm" and len(parts) > 1 else None


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_modules(path: Path) -> list[str]:
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module is not None
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return [name for name in found if name.startswith("wippywasm")]


SOURCES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_imports_backwards(path: Path) -> None:
    room = room_of(module_name(path))
    if room is None:
        return  # the package root only re-exports
    for name in imported_modules(path):
        other = room_of(name)
        if other is None or name.startswith(PORT):
            continue
        assert other in RANK, f"{path}: {other} has no layer"
        assert other == room or RANK[other] < RANK[room], f"{path}: {room} imports {other}"


def test_rooms_of_one_layer_do_not_import_each_other() -> None:
    for path in SOURCES:
        room = room_of(module_name(path))
        for name in imported_modules(path) if room else []:
            other = room_of(name)
            if other not in (None, room) and not name.startswith(PORT):
                assert RANK[str(other)] != RANK[str(room)], f"{path}: {room} and {other} are of one layer"


def test_every_file_has_a_room_and_a_docstring() -> None:
    for path in SOURCES:
        room = room_of(module_name(path))
        assert room is None or room in RANK, f"{path} is in no layer"
        tree = ast.parse(path.read_text())
        assert not tree.body or ast.get_docstring(tree), f"{path} does not say what comes in and what goes out"


def test_importing_the_package_loads_no_engine() -> None:
    heavy = ("wasmtime", "wasmer", "lupa", "yaml", "aiohttp")
    probe = f"import sys, wippywasm; print([m for m in {heavy} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["wippywasm", "wippywasm.wasi", "wippywasm.wasi.http", "wippywasm.wasi.preview1"])
def test_names_that_are_loaded_late_are_there(name: str) -> None:
    package = importlib.import_module(name)
    for each in package.__all__:
        assert isinstance(getattr(package, each), ModuleType) == (each == "errors"), each
    with pytest.raises(AttributeError, match=f"module '{name}' has no attribute 'nothing'"):
        getattr(package, "nothing")  # noqa: B009


def test_a_call_loads_hardly_more_than_it_needs(engine: Engine) -> None:
    """What is loaded takes most of the time from the start of a process until its first call has returned."""
    idle = ("asyncio", "logging", "importlib.metadata", "difflib", "wippywasm.wit", "wippywasm.abi.reference")
    probe = (
        "import sys, wippywasm\n"
        f"linked = wippywasm.load('examples/demo/wasm/people.wasm', engine={engine.name!r}).link(undeclared='deny')\n"
        "assert linked.instantiate().call('compute', 6, 7)\n"
        f"print([m for m in {idle} if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True, cwd=ROOT)
    assert out.stdout.strip() == "[]"
