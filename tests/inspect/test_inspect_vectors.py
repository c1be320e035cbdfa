"""Guests that we did not build: every component of the vectors is explained, and the entries that are printed load."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.vectors import components, needs_vectors
from wippywasm import App
from wippywasm.engine.port import Engine
from wippywasm.inspect import Inspection, inspect
from wippywasm.inspect.json_form import to_json
from wippywasm.inspect.page import page
from wippywasm.inspect.report import report

pytestmark = needs_vectors


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[Inspection]:
    """Each in a folder of its own."""
    return [inspect(file, app=file.parent) for file in files(tmp_path_factory.mktemp("vectors"))]


def files(folder: Path) -> Iterator[Path]:
    for place, wasm in components():
        file = folder / place / "guest.wasm"
        file.parent.mkdir()
        file.write_bytes(wasm)
        yield file


def test_each_is_explained(found: list[Inspection]) -> None:
    assert len(found) > 240
    for one in found:
        assert report(one)
        assert "</html>" in page(one)
        assert json.loads(json.dumps(to_json(one)))["problems"] == list(one.problems)


def test_what_can_be_called_by_id_has_an_entry_that_loads(found: list[Inspection], engine: Engine) -> None:
    loaded = 0
    for one in found:
        lacks = next(fit.lacks for fit in one.engines if fit.engine == engine.name)
        if one.definition is None or lacks:
            continue
        folder = Path(one.path).parent
        (folder / "_index.yaml").write_text(one.definition.text)
        app = App.load(folder, engine=engine.name)
        assert list(app.functions) == [entry.id for entry in one.definition.entries]
        loaded += 1
    assert loaded > 100
