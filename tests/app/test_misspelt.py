"""A misspelt field is one problem, also where it is required."""

from __future__ import annotations

from pathlib import Path

import pytest

from wippywasm import App
from wippywasm.errors import DefinitionError


def test_a_misspelt_required_field_is_one_problem(tmp_path: Path) -> None:
    entry = '{name: f, kind: function.lua, method: f, sorce: "return {}"}'
    (tmp_path / "_index.yaml").write_text(f"namespace: t\nentries:\n  - {entry}\n")
    with pytest.raises(DefinitionError) as caught:
        App.load(tmp_path)
    assert [(p.field, p.hint) for p in caught.value.problems] == [("sorce", "did you mean 'source'?")]
