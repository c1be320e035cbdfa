"""Every test that takes `load` runs on each engine that is here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import wippywasm
from wippywasm import engine as engines
from wippywasm.instance.component import Component

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
