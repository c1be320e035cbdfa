"""Every test that takes `load` runs on each engine that is here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import wippywasm
from tests.wasi.wasi_guests import Raw, Start, preview1_module
from wippywasm import engine as engines
from wippywasm.instance.component import Component
from wippywasm.wasi import Wasi

Load = Callable[..., Component]


@pytest.fixture(params=["wasmer", "wasmtime"])
def engine(request: pytest.FixtureRequest) -> str:
    name = str(request.param)
    info = next(info for info in engines.available() if info.name == name)
    if not info.usable:
        pytest.skip(info.why)
    return name


@pytest.fixture
def load(engine: str) -> Load:
    """`wippywasm.load` with the engine of this run."""

    def load(source: Any, **options: Any) -> Component:
        return wippywasm.load(source, engine=engine, **options)

    return load


@pytest.fixture
def start(load: Load) -> Iterator[Start]:
    """Starts a guest that can do nothing but call preview 1."""
    guests: list[Any] = []

    def start(**options: Any) -> Raw:
        wasi = Wasi(**{"stdout": None, "stderr": None, **options})
        guests.append(load(preview1_module()).instantiate(wasi.imports(["wasi1"])))
        return Raw(guests[-1].call)

    yield start
    for guest in guests:
        guest.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a file and a folder in it."""
    (tmp_path / "file").write_text("hello world")
    (tmp_path / "sub").mkdir()
    return tmp_path
