"""mypy in a process of its own: here it would leave millions of objects for each collection of garbage to go through.

In: its arguments. Out: what it printed, and its exit code.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def mypy(*arguments: str, folder: Path = ROOT, path: str = "") -> subprocess.CompletedProcess[str]:
    """Run it in a folder; `path` is where it finds modules besides."""
    return subprocess.run(
        [sys.executable, "-m", "mypy", *arguments],
        cwd=folder, env={**os.environ, "MYPYPATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip
