"""Generated packages, written to a folder of their own and imported from there."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from types import ModuleType

import pytest

from wippywasm.bindgen import generate
from wippywasm.cli.bindgen import write_package
from wippywasm.wit import World

_numbers = count()
Make = Callable[[World], ModuleType]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Make]:
    """Write the package of a world and import it; gone after the module's tests."""
    folder = tmp_path_factory.mktemp("packages")
    made: list[str] = []

    def package(world: World) -> ModuleType:
        name = f"bindgen_{next(_numbers)}"
        made.append(name)
        write_package(folder / name, generate(world, "wippywasm bindgen"))
        importlib.invalidate_caches()
        return importlib.import_module(name)

    sys.path.insert(0, str(folder))
    yield package
    sys.path.remove(str(folder))
    for name in [m for m in sys.modules if m.partition(".")[0] in made]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def submodule() -> Callable[[ModuleType, str], ModuleType]:
    """A module of a generated package."""
    return lambda package, name: importlib.import_module(f"{package.__name__}.{name}")


ROOT = Path(__file__).parent.parent.parent
