"""What the tests of inspections share: files of the repository, text on the spot, and a command run in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Run, run
from wippywasm.inspect import Inspection, inspect

ROOT = Path(__file__).parent.parent.parent
PEOPLE = ROOT / "examples/demo/wasm/people.wasm"
WORDS = ROOT / "examples/demo/wasm/words.wasm"
GREET = ROOT / "examples/demo/wat/greet.wat"
ZOO = ROOT / "tests/guests/zoo.wasm"
FILES = ROOT / "tests/guests/files.wasm"
FILES_COMPONENT = ROOT / "tests/guests/files.component.wasm"
GUESTS = (PEOPLE, WORDS, GREET, ZOO, FILES, FILES_COMPONENT)

InspectText = Callable[[str], Inspection]

__all__ = ["Run", "run"]


@pytest.fixture
def inspect_text(tmp_path: Path) -> InspectText:
    """Inspects WebAssembly text as a file of the app folder."""

    def read(text: str) -> Inspection:
        file = tmp_path / "guest.wat"
        file.write_text(text)
        return inspect(file, app=tmp_path)

    return read
