"""Real guests, built by `tools/build_guests.py`; every test runs on each engine that is here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import wippywasm
from wippywasm import engine as engines

DEMO = Path(__file__).resolve().parents[2] / "examples/demo"


@pytest.fixture(params=["wasmer", "wasmtime"])
def engine(request: pytest.FixtureRequest) -> str:
    name = str(request.param)
    info = next(info for info in engines.available() if info.name == name)
    if not info.usable:
        pytest.skip(info.why)
    return name


@pytest.fixture
def people(engine: str) -> Iterator[Any]:
    """The C component of the demo, with none of its WASI imports granted."""
    with wippywasm.load(DEMO / "wasm/people.wasm", engine=engine).instantiate(undeclared="deny") as guest:
        yield guest


@pytest.fixture
def zoo(engine: str) -> Iterator[Any]:
    """A C component with every kind of type and no imports."""
    with wippywasm.load(Path(__file__).parent / "zoo.wasm", engine=engine).instantiate() as guest:
        yield guest
