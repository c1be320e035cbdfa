"""The example in docs/bindgen.md is well typed. That it does what it says, `tests/docs` finds."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

from mypy import api

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs/bindgen.md").read_text()


def block(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def test_the_example_is_well_typed(tmp_path: Path) -> None:
    _, _, _, source, _, name = shlex.split(block("console"))
    subprocess.run(
        [sys.executable, "-m", "wippywasm", "bindgen", str(ROOT / source), "-o", str(tmp_path / name)], check=True
    )
    (tmp_path / "example.py").write_text(block("python"))
    out, problems, code = api.run(["--strict", f"--cache-dir={tmp_path / 'cache'}", str(tmp_path)])
    assert (problems, code) == ("", 0), out
