"""The example in docs/bindgen.md does what it says."""

from __future__ import annotations

import os
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


def test_the_example(tmp_path: Path) -> None:
    program, _, *arguments = shlex.split(block("sh"))
    assert program == "wippywasm"
    arguments[-1] = str(tmp_path / arguments[-1])
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    for command in (["-m", "wippywasm", "bindgen", *arguments], ["-c", block("python")]):
        ran = subprocess.run(
            [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == re.findall(r"print\(.*\)  # (.*)$", block("python"), re.MULTILINE)


def test_the_example_is_well_typed(tmp_path: Path) -> None:
    _, _, source, _, name = shlex.split(block("sh"))
    subprocess.run(
        [sys.executable, "-m", "wippywasm", "bindgen", str(ROOT / source), "-o", str(tmp_path / name)], check=True
    )
    (tmp_path / "example.py").write_text(block("python"))
    out, problems, code = api.run(["--strict", f"--cache-dir={tmp_path / 'cache'}", str(tmp_path)])
    assert (problems, code) == ("", 0), out
