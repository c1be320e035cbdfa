"""The component model's own vectors for the binary format and for validation, through the conformance runner."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from spec_tests import Options
from spec_tests.wast import run

VECTORS = Path(
    os.environ.get("WIPPYWASM_CONFORMANCE") or Path(__file__).parents[3] / "shared" / "conformance", "component-model"
)
FILES = sorted(path for room in ("binary", "validation") for path in (VECTORS / room).glob("*.wast"))
REFUSALS = sorted((VECTORS / "async").glob("validate-*.wast"))


@pytest.mark.skipif(not FILES, reason=f"there are no vectors in {VECTORS}; set WIPPYWASM_CONFORMANCE")
@pytest.mark.parametrize("path", [*FILES, *REFUSALS], ids=lambda path: path.stem)
def test_every_directive_holds(path: Path) -> None:
    result = run(path, Options("wasmtime"))
    assert result.failed == []
    assert result.skipped == []
    assert result.passed > 0
