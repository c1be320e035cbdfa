"""Components that we did not build: those of the component model's own vectors, where they are beside this checkout.

In: nothing. Out: each component's place (file and line) and its binary.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from spec_tests.wast_directives import Define, directives
from wippywasm.engine import wat2wasm
from wippywasm.errors import WatSyntaxError

VECTORS = Path(__file__).resolve().parents[2] / "shared/conformance/component-model"
needs_vectors = pytest.mark.skipif(
    not VECTORS.is_dir(), reason="the component-model vectors are not beside this checkout"
)


def components() -> Iterator[tuple[str, bytes]]:
    """Those that are defined as text which this engine's parser takes; none of those that have to be refused."""
    for path in sorted(VECTORS.rglob("*.wast")):
        for d in directives(path.read_text()):
            if isinstance(d, Define) and d.source.sort == "component" and d.source.text and not d.source.is_quoted:
                try:
                    yield f"{path.stem}-{d.line}", wat2wasm(d.source.text)
                except WatSyntaxError:
                    continue
